-- Run by scripts/try-clients/run in a project: starts the server for the open buffer, asks everything, prints the answers, and quits.
local function fail(message)
  print("\nFAILED: " .. message .. "\n")
  vim.cmd("cquit")
end

local function say(line) io.stdout:write(line .. "\n") end

local id = vim.lsp.start_client({ name = "pgassay", cmd = { vim.env.PGASSAY, "lsp" }, root_dir = vim.fn.getcwd() })
local buffer = vim.api.nvim_get_current_buf()
vim.lsp.buf_attach_client(buffer, id)
local function diagnostics() return vim.diagnostic.get(buffer) end
if not vim.wait(20000, function() return #diagnostics() > 0 end, 5) then fail("no diagnostics") end
for _, it in ipairs(diagnostics()) do
  say(("diagnostic %d:%d %s [%s]"):format(it.lnum + 1, it.col + 1, it.message:match("[^\n]*"), it.code or it.user_data.lsp.code))
end

local function ask(method, line, character, more)
  local params = { textDocument = { uri = vim.uri_from_bufnr(buffer) }, position = { line = line, character = character } }
  for key, value in pairs(more or {}) do params[key] = value end
  local begun = vim.loop.hrtime()
  local answers = vim.lsp.buf_request_sync(buffer, method, params, 5000)
  local answer = answers and answers[id]
  if not answer or answer.err or answer.result == nil then fail(method .. ": " .. vim.inspect(answer)) end
  say(("\n%s (%.1f ms)"):format(method, (vim.loop.hrtime() - begun) / 1e6))
  return answer.result
end

say(ask("textDocument/hover", 1, 14).contents.value)
local range = { start = { line = 1, character = 0 }, ["end"] = { line = 1, character = 50 } }
for _, action in ipairs(ask("textDocument/codeAction", 1, 35, { range = range, context = { diagnostics = {} } })) do say("  " .. action.title) end
for _, place in ipairs({ ask("textDocument/definition", 1, 14) }) do
  place = place.uri and place or place[1]
  say(("  %s:%d"):format(vim.fn.fnamemodify(vim.uri_to_fname(place.uri), ":t"), place.range.start.line + 1))
end
for _, place in ipairs(ask("textDocument/references", 1, 14, { context = { includeDeclaration = true } })) do
  say(("  %s:%d"):format(vim.fn.fnamemodify(vim.uri_to_fname(place.uri), ":t"), place.range.start.line + 1))
end
local items = ask("textDocument/completion", 2, 11)
local labels = {}
for _, item in ipairs(items.items or items) do labels[#labels + 1] = item.label end
say("  " .. table.concat(labels, " "):sub(1, 200))
local whole = { start = { line = 0, character = 0 }, ["end"] = { line = 5, character = 0 } }
for _, hint in ipairs(ask("textDocument/inlayHint", 1, 0, { range = whole })) do
  local label = type(hint.label) == "string" and hint.label or hint.label[1].value
  say(("  line %d: %s"):format(hint.position.line + 1, label))
end
for _, symbol in ipairs(ask("textDocument/documentSymbol", 0, 0)) do say("  " .. symbol.name) end

-- An edit that is not saved: the finding goes, and another comes.
local begun = vim.loop.hrtime()
local function has(code)
  for _, it in ipairs(diagnostics()) do
    if (it.code or it.user_data.lsp.code) == code then return true end
  end
end
vim.api.nvim_buf_set_lines(buffer, 1, 4, false, { "ALTER TABLE orders DROP COLUMN nope;" })
if not vim.wait(5000, function() return has("missing-object") and not has("blocking-scan") end, 1) then
  fail("the edit brought no diagnostics")
end
say(("\nafter an unsaved edit (%.1f ms, of which Neovim waits 150 ms before it sends the edit)"):format((vim.loop.hrtime() - begun) / 1e6))
for _, it in ipairs(diagnostics()) do say(("diagnostic %d:%d %s"):format(it.lnum + 1, it.col + 1, it.message:match("[^\n]*"))) end
vim.lsp.stop_client(id)
vim.cmd("qall!")

// The extension without an editor: what it asks of the server, and what it does with the reason. `npm test`.
"use strict";

const assert = require("node:assert");
const Module = require("node:module");
const test = require("node:test");

const inserted = [];
let answer;
const commands = {};
let started;
const vscode = {
  Position: class { constructor(line, character) { Object.assign(this, { line, character }); } },
  Uri: { parse: (text) => text },
  WorkspaceEdit: class { insert(...edit) { inserted.push(edit); } },
  window: { showInputBox: async () => answer, showErrorMessage: (text) => assert.fail(text) },
  commands: { registerCommand: (name, run) => ((commands[name] = run), { dispose() {} }) },
  workspace: {
    applyEdit: async () => true,
    workspaceFolders: [{ uri: { fsPath: "/project" } }],
    getConfiguration: () => ({ get: (name) => ({ path: "/bin/pgassay", snapshot: "db.snapshot" })[name] }),
  },
};
class LanguageClient {
  constructor(id, name, server, options) { started = { server, options }; }
  async start() {}
  async stop() {}
}
const load = Module._load;
Module._load = function (name, ...rest) {
  if (name === "vscode") return vscode;
  if (name === "vscode-languageclient/node") return { LanguageClient };
  return load.call(this, name, ...rest);
};
const extension = require("./extension.js");

test("the server is started with the snapshot, in the folder", async () => {
  await extension.activate({ subscriptions: [] });
  assert.deepStrictEqual(started.server.args, ["lsp", "--snapshot", "/project/db.snapshot"]);
  assert.strictEqual(started.server.command, "/bin/pgassay");
  assert.strictEqual(started.options.initializationOptions.asksReason, true);
  assert.ok(started.options.documentSelector.some((one) => one.scheme === "untitled"));
});

test("an allow comment gets the reason, on one line; without one nothing is written", async () => {
  const place = { uri: "file:///a.sql", position: { line: 3, character: 0 }, text: "-- pgassay: allow(blocking-scan) " };
  answer = "small\n  table";
  await commands["pgassay.allow"](place);
  assert.strictEqual(inserted[0][2], "-- pgassay: allow(blocking-scan) small table\n");
  answer = "  ";
  await commands["pgassay.allow"](place);
  assert.strictEqual(inserted.length, 1);
});

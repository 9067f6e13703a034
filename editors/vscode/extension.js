// Starts `pgassay lsp` and gives an allow comment a reason. Everything else is the server's.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");
const { serverArguments } = require("./settings");

let client;

function newClient() {
  const settings = vscode.workspace.getConfiguration("pgassay");
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const server = {
    command: settings.get("path") || "pgassay",
    args: serverArguments(settings.get("snapshot"), folder),
    options: { cwd: folder },
  };
  const languages = ["sql", "pgsql", "postgres"];
  return new LanguageClient("pgassay", "pgassay", server, {
    documentSelector: languages.flatMap((language) => [
      { scheme: "file", language },
      { scheme: "untitled", language },
    ]),
    initializationOptions: { asksReason: true },
  });
}

// The server's code action gives the place and the comment; the reason is the user's.
async function allow({ uri, position, text }) {
  const reason = await vscode.window.showInputBox({ prompt: "Why is this all right here?", ignoreFocusOut: true });
  if (!reason || !reason.trim()) {
    return;
  }
  const edit = new vscode.WorkspaceEdit();
  const place = new vscode.Position(position.line, position.character);
  edit.insert(vscode.Uri.parse(uri), place, `${text.trimEnd()} ${reason.trim().replace(/\s+/g, " ")}\n`);
  await vscode.workspace.applyEdit(edit);
}

async function start() {
  client = newClient();
  try {
    await client.start();
  } catch (error) {
    vscode.window.showErrorMessage(`pgassay did not start: ${error.message}. The setting pgassay.path names the binary.`);
  }
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("pgassay.allow", allow),
    vscode.commands.registerCommand("pgassay.restart", async () => {
      await client?.stop().catch(() => {});
      await start();
    }),
  );
  await start();
}

function deactivate() {
  return client?.stop();
}

module.exports = { activate, deactivate, allow };

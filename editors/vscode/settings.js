// What the settings mean for the server's command line.
"use strict";

const path = require("node:path");

function serverArguments(snapshot, folder) {
  if (!snapshot) {
    return ["lsp"];
  }
  return ["lsp", "--snapshot", folder ? path.resolve(folder, snapshot) : snapshot];
}

module.exports = { serverArguments };

// A registry of the packages that build.js made, for trying them: node packaging/npm/registry.js FOLDER ADDRESS_FILE
//
// It answers what npm asks for and nothing else, writes its address into ADDRESS_FILE, and runs until it is stopped.
"use strict";

const { execFileSync } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

const [folder, addressFile] = process.argv.slice(2);
const packages = new Map();
for (const entry of fs.readdirSync(folder)) {
  const from = path.join(folder, entry);
  const manifest = JSON.parse(fs.readFileSync(path.join(from, "package.json"), "utf8"));
  const [packed] = JSON.parse(execFileSync("npm", ["pack", "--json", "--silent"], { cwd: from, encoding: "utf8" }));
  // npm writes the file's name with the scope's slash as a dash.
  const file = path.join(from, packed.filename.replace("@", "").replace("/", "-"));
  packages.set(manifest.name, { manifest, bytes: fs.readFileSync(file) });
}

const server = http.createServer((request, response) => {
  const name = decodeURIComponent(new URL(request.url, "http://localhost").pathname.slice(1));
  const tarball = packages.get(name.replace(/\/-\/.*$/, ""));
  if (!tarball) {
    response.writeHead(404, { "content-type": "application/json" });
    return response.end(JSON.stringify({ error: "not found" }));
  }
  if (name.includes("/-/")) {
    return response.end(tarball.bytes);
  }
  const { manifest, bytes } = tarball;
  const dist = {
    tarball: `http://localhost:${server.address().port}/${manifest.name}/-/package.tgz`,
    integrity: `sha512-${crypto.createHash("sha512").update(bytes).digest("base64")}`,
  };
  response.writeHead(200, { "content-type": "application/json" });
  response.end(
    JSON.stringify({
      name: manifest.name,
      "dist-tags": { latest: manifest.version },
      versions: { [manifest.version]: { ...manifest, dist } },
    }),
  );
});
server.listen(0, "localhost", () => fs.writeFileSync(addressFile, `http://localhost:${server.address().port}/`));

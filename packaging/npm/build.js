// Makes the npm packages: one with the launcher, and one for each platform whose binary is given.
//
//   node packaging/npm/build.js OUT linux-x64=target/release/pgassay [darwin-arm64=…]
//
// The version is the one of Cargo.toml. `npm publish OUT/<package>` is a person's act.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const root = path.resolve(__dirname, "../..");
const platforms = {
  "linux-x64": { os: ["linux"], cpu: ["x64"], libc: ["glibc"] },
  "linux-x64-musl": { os: ["linux"], cpu: ["x64"], libc: ["musl"] },
  "linux-arm64": { os: ["linux"], cpu: ["arm64"], libc: ["glibc"] },
  "linux-arm64-musl": { os: ["linux"], cpu: ["arm64"], libc: ["musl"] },
  "darwin-x64": { os: ["darwin"], cpu: ["x64"] },
  "darwin-arm64": { os: ["darwin"], cpu: ["arm64"] },
  "win32-x64": { os: ["win32"], cpu: ["x64"] },
};

function fail(message) {
  console.error(`build.js: ${message}`);
  process.exit(2);
}

// The first `version = "…"` is the package's, or the workspace's, and both are the same.
function version() {
  const manifest = fs.readFileSync(path.join(root, "Cargo.toml"), "utf8");
  const found = manifest.match(/^version = "([^"]+)"$/m);
  return found ? found[1] : fail("Cargo.toml has no line version = \"…\"");
}

const shared = (name) => ({
  name,
  version: version(),
  license: "MIT OR Apache-2.0",
  description: "Reads PostgreSQL migrations before they run: locks, rewrites, broken clients, lost data",
});

function write(folder, manifest, files) {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest, null, 2) + "\n");
  for (const [name, source] of Object.entries({ ...files, "LICENSE-MIT": "LICENSE-MIT", "LICENSE-APACHE": "LICENSE-APACHE" })) {
    const target = path.join(folder, name);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(path.resolve(root, source), target);
  }
}

const [out, ...binaries] = process.argv.slice(2);
if (!out || binaries.length === 0) fail("usage: build.js OUT PLATFORM=BINARY …");
for (const argument of binaries) {
  const [platform, binary] = argument.split("=");
  if (!platforms[platform]) fail(`unknown platform ${platform}; known: ${Object.keys(platforms).join(", ")}`);
  if (!binary || !fs.existsSync(binary)) fail(`no binary at ${binary}`);
  const file = platform.startsWith("win32") ? "pgassay.exe" : "bin/pgassay";
  const folder = path.join(out, platform);
  write(folder, { ...shared(`@pgassay/${platform}`), ...platforms[platform], preferUnplugged: true }, { [file]: path.resolve(binary) });
  fs.chmodSync(path.join(folder, file), 0o755);
}
const optional = Object.fromEntries(Object.keys(platforms).map((platform) => [`@pgassay/${platform}`, version()]));
write(
  path.join(out, "pgassay"),
  { ...shared("pgassay"), bin: { pgassay: "bin/pgassay.js" }, engines: { node: ">=18" }, optionalDependencies: optional },
  { "bin/pgassay.js": "packaging/npm/bin/pgassay.js", "README.md": "README.md" },
);
fs.chmodSync(path.join(out, "pgassay/bin/pgassay.js"), 0o755);

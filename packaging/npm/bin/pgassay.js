#!/usr/bin/env node
// Runs the binary of this machine's platform package, with the arguments given.
"use strict";

const { spawnSync } = require("node:child_process");

const names = {
  "linux x64": ["linux-x64", "linux-x64-musl"],
  "linux arm64": ["linux-arm64", "linux-arm64-musl"],
  "darwin x64": ["darwin-x64"],
  "darwin arm64": ["darwin-arm64"],
  "win32 x64": ["win32-x64"],
};

function binary() {
  const platform = `${process.platform} ${process.arch}`;
  const file = process.platform === "win32" ? "pgassay.exe" : "bin/pgassay";
  for (const name of names[platform] || []) {
    try {
      return require.resolve(`@pgassay/${name}/${file}`);
    } catch {
      // Not installed: npm installs the one whose libc, os and cpu fit.
    }
  }
  console.error(
    names[platform]
      ? `pgassay: the package @pgassay/${names[platform][0]} is not installed; was npm run with --omit=optional?`
      : `pgassay: there is no binary for ${platform}; build it from source with cargo`,
  );
  process.exit(2);
}

const run = spawnSync(binary(), process.argv.slice(2), { stdio: "inherit" });
if (run.error) {
  console.error(`pgassay: ${run.error.message}`);
  process.exit(2);
}
if (run.signal) process.kill(process.pid, run.signal);
process.exit(run.status === null ? 2 : run.status);

#!/usr/bin/env node
// Lets forge compile offline: the part of the native solc's command line that forge uses, answered by npm's solc.
//
// forge passes every source's text in the standard JSON, so no import has to be found here.
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";

const solc = createRequire(import.meta.url)("solc");

function say(text) {
  const bytes = Buffer.from(text);
  // A pipe takes what it has room for: write on until everything is out.
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(1, bytes, offset);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

if (process.argv.includes("--version")) {
  // forge reads the version out of these two lines and wants the platform at its end, as the native program has it.
  const version = solc.version().replace(".Emscripten.clang", "");
  say(`solc, the solidity compiler commandline interface\nVersion: ${version}.Linux.g++\n`);
} else if (process.argv.includes("--standard-json")) {
  say(solc.compile(readFileSync(0, "utf8")));
} else {
  process.stderr.write("solc.mjs answers --version and --standard-json only\n");
  process.exitCode = 1;
}

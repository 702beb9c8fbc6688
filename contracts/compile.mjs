// Compiles every contract in src/ with the npm solc and writes one JSON artefact each; beside them the one contract of
// test/ that the benchmark deploys as its baseline, marked `baseline`.
//
//   npm --prefix contracts install && npm --prefix contracts run build            writes heritage_contracts/artifacts
//   node contracts/compile.mjs DIR                                           writes DIR
//
// Settings are fixed and the metadata hash is left out of the bytecode, so that the same sources give the same bytes on
// every machine; a test compares them.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(here, "package.json"));
const solc = require("solc");
if (process.argv[2]?.startsWith("-")) {
  process.stderr.write("compile.mjs takes one folder to write to, or nothing; see its first lines\n");
  process.exit(2);
}
const outDir = resolve(process.argv[2] ?? join(here, "heritage_contracts", "artifacts"));

const settings = {
  evmVersion: "cancun",
  optimizer: { enabled: true, runs: 20_000 },
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: {
    "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "storageLayout"] },
  },
};

// Line ends are made alike so that a checkout with CRLF compiles to the same hash.
const read = (path) => readFileSync(path, "utf8").replaceAll("\r\n", "\n");
const sources = {};
for (const file of readdirSync(join(here, "src")).filter((name) => name.endsWith(".sol")).sort()) {
  sources[`src/${file}`] = { content: read(join(here, "src", file)) };
}
const BASELINES = ["test/PushSplitter.sol"];
for (const path of BASELINES) sources[path] = { content: read(join(here, path)) };
const own = Object.keys(sources);
const imported = {};

function findImport(path) {
  try {
    imported[path] = read(/^(src|test)\//.test(path) ? join(here, path) : require.resolve(path));
    return { contents: imported[path] };
  } catch {
    return { error: `${path} not found; run: npm --prefix contracts install` };
  }
}

const output = JSON.parse(
  solc.compile(JSON.stringify({ language: "Solidity", sources, settings }), { import: findImport }),
);
for (const { severity, formattedMessage } of output.errors ?? []) {
  process.stderr.write(formattedMessage);
  if (severity === "error") process.exitCode = 1;
}
if (process.exitCode) process.exit();

// One hash over every source that took part, in the order of their names.
const all = { ...imported, ...Object.fromEntries(own.map((path) => [path, sources[path].content])) };
const hash = createHash("sha256");
for (const path of Object.keys(all).sort()) hash.update(`${path}\0${all[path]}\0`);
const sourceSha256 = hash.digest("hex");

// The compiler numbers syntax nodes across all sources; without these numbers a layout changes when its contract does.
function withoutNumbers(layout) {
  const text = JSON.stringify(layout, (key, value) => (key === "astId" ? undefined : value));
  return JSON.parse(text.replace(/\)\d+_storage/g, ")_storage"));
}

mkdirSync(outDir, { recursive: true });
for (const path of own) {
  for (const [name, compiled] of Object.entries(output.contracts[path])) {
    const artefact = {
      contract: name,
      source: path,
      baseline: BASELINES.includes(path),
      source_sha256: createHash("sha256").update(sources[path].content).digest("hex"),
      sources_sha256: sourceSha256,
      solc: solc.version(),
      openzeppelin: require("@openzeppelin/contracts/package.json").version,
      evm_version: settings.evmVersion,
      optimizer_runs: settings.optimizer.runs,
      abi: compiled.abi,
      bytecode: compiled.evm.bytecode.object,
      deployed_bytecode: compiled.evm.deployedBytecode.object,
      storage_layout: withoutNumbers(compiled.storageLayout),
    };
    writeFileSync(join(outDir, `${name}.json`), JSON.stringify(artefact, null, 1) + "\n");
    process.stdout.write(`${name}: ${compiled.evm.deployedBytecode.object.length / 2} bytes\n`);
  }
}

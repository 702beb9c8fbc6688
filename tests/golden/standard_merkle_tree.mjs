// Writes standard_merkle_tree.json with OpenZeppelin's own library:
//
//   npm install --prefix DIR @openzeppelin/merkle-tree@1.0.8
//   node tests/golden/standard_merkle_tree.mjs DIR > tests/golden/standard_merkle_tree.json
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const require = createRequire(join(resolve(process.argv[2]), "package.json"));
const { StandardMerkleTree } = require("@openzeppelin/merkle-tree");

const chainId = 31337;
const distributor = "0x000102030405060708090a0b0c0d0e0f10111213";
const types = ["uint256", "address", "bytes32", "uint256"];
const sha = (text) => "0x" + createHash("sha256").update(text).digest("hex");
const amount = (i) => (i === 4 ? (1n << 255n) + 1n : BigInt(i) * 1_000_003n).toString();

// Subsets that a queue could get wrong: none, all, one, both ends, neighbours, every second, across the depths.
const subsets = (n) => {
  const all = [...Array(n).keys()];
  const wanted = [[], all, [0], [n - 1], [0, n - 1], all.slice(0, 2), all.slice(-2), all.filter((i) => i % 2)];
  wanted.push(all.filter((i) => i % 3 === 1), all.slice(n >> 2, (n >> 2) + 3), [...all].reverse().slice(0, n - 1));
  const seen = new Set();
  return wanted.filter((w) => new Set(w).size === w.length && !seen.has(w.join()) && seen.add(w.join()));
};

const trees = [1, 2, 3, 4, 5, 6, 7, 8, 11, 16, 21].map((n) => {
  const payees = [...Array(n).keys()].map((i) => [sha(`payee ${i} of ${n}`), amount(i)]);
  const tree = StandardMerkleTree.of(payees.map(([id, a]) => [chainId, distributor, id, a]), types, { sortLeaves: false });
  const place = new Map(payees.map(([id], i) => [id, i]));
  return {
    payees,
    nodes: tree.dump().tree,
    proofs: payees.map((_, i) => tree.getProof(i)),
    multiproofs: subsets(n).map((indices) => {
      const { leaves, proof, proofFlags } = tree.getMultiProof([...indices]);
      return { indices, order: leaves.map((leaf) => place.get(leaf[2])), proof, flags: proofFlags };
    }),
  };
});
const source = "@openzeppelin/merkle-tree 1.0.8, StandardMerkleTree with sortLeaves: false";
process.stdout.write(JSON.stringify({ source, chain_id: chainId, distributor, trees }) + "\n");

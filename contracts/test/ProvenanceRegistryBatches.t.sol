// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {ProvenanceRegistry} from "../src/ProvenanceRegistry.sol";
import {Records} from "../src/Records.sol";
import {Tree} from "./base/Tree.sol";
import {Works} from "./base/Works.sol";
import {PlainToken} from "./mocks/HostileTokens.sol";

/// @notice Works that come in batches: their numbers, roots, parents, and the proofs by which they are opened.
contract ProvenanceRegistryBatchesTest is Works {
    function setUp() public {
        build(new PlainToken(), 3);
    }

    // ---- roots and the fold ----------------------------------------------------------------------------------------

    function testFuzz_root_number_and_head_are_those_worked_out_apart(uint8[4] memory sizes, uint256 seed) public {
        bytes32 head = keccak256(abi.encode(block.chainid, address(provenance)));
        vm.assertEq(provenance.head(), head, "the fold's start");
        bytes32 revealed = head;
        uint256 first = 0;
        for (uint256 b = 0; b < sizes.length; ++b) {
            bytes[] memory records = _records(first, between(sizes[b], 1, 9), seed);
            bytes32 root = nodesOf(first, records)[0];
            head = keccak256(abi.encode(head, first, records.length, root));
            vm.assertEq(enter(records), first, "first number");
            vm.assertEq(provenance.batchRoot(first), root, "root");
            vm.assertEq(provenance.head(), head, "head");
            first += records.length;
            vm.assertEq(provenance.numWorks(), first, "count");
            if (seed >> b & 1 == 1) revealed = _afterSingle(revealed, b);
            vm.assertEq(provenance.head(), head, "head after a single work");
            vm.assertEq(provenance.revealedHead(), revealed, "what is revealed is folded apart");
        }
    }

    function test_a_batch_built_on_another_head_is_refused() public {
        bytes32 stale = provenance.head();
        enter(one(pack(draft("first"))));
        bytes32 head = provenance.head();
        bytes memory record = pack(draft("second"));
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.StaleHead.selector, head, stale));
        vm.prank(registrar);
        provenance.registerBatch(stale, record);
    }

    function test_an_empty_batch_is_refused() public {
        bytes32 head = provenance.head();
        vm.expectRevert(ProvenanceRegistry.EmptyBatch.selector);
        vm.prank(registrar);
        provenance.registerBatch(head, "");
    }

    function test_only_the_registrar_enters_batches() public {
        bytes32 head = provenance.head();
        bytes32 role = provenance.REGISTRAR_ROLE();
        bytes memory record = pack(draft("work"));
        address[3] memory others = [admin, poster, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, others[i], role)
            );
            vm.prank(others[i]);
            provenance.registerBatch(head, record);
        }
    }

    function testFuzz_one_broken_record_undoes_its_whole_batch(uint256 at, uint256 cut) public {
        bytes[] memory records = _records(0, 5, 0);
        at = between(at, 0, 4);
        Draft memory broken = draft("broken");
        broken.stemBps[0] = 9_999;
        records[at] = pack(broken);
        bytes32 head = provenance.head();
        vm.expectRevert(abi.encodeWithSelector(Records.StemsDoNotSum.selector, 9_999));
        vm.prank(registrar);
        provenance.registerBatch(head, joined(records));
        // And bytes that are no record at the end.
        records = _records(0, 5, 0);
        bytes memory all = bytes.concat(joined(records), new bytes(between(cut, 1, 74)));
        vm.expectPartialRevert(Records.RecordTooShort.selector);
        vm.prank(registrar);
        provenance.registerBatch(head, all);
        vm.assertEq(provenance.numWorks(), 0, "nothing came in");
        vm.assertEq(provenance.head(), head, "the head stands");
    }

    function test_many_full_records_fit_one_transaction() public {
        enter(_records(0, 16, 0));
        Draft memory d = draft("full");
        d.parents = keys(0, 16);
        (d.stemIds, d.stemBps) = (new bytes32[](16), new uint16[](16));
        for (uint256 i = 0; i < 16; ++i) {
            (d.stemIds[i], d.stemBps[i]) = (keccak256(abi.encode(i)), 625);
        }
        bytes memory all = pack(d);
        for (uint256 i = 0; i < 7; ++i) {
            all = bytes.concat(all, all);
        }
        bytes32 head = provenance.head();
        vm.prank(registrar);
        uint256 before = gasleft();
        provenance.registerBatch(head, all);
        // On top of the call: the transaction itself, and calldata at 16 gas for a byte that is not zero.
        uint256 used = before - gasleft() + 21_000 + 16 * all.length;
        vm.assertEq(provenance.numWorks(), 16 + 128, "works");
        vm.assertLt(used, 16_777_216, "EIP-7825");
    }

    // ---- parents ---------------------------------------------------------------------------------------------------

    function testFuzz_a_parent_is_older_than_its_child(uint256 parent, uint256 place) public {
        enter(_records(0, 3, 0));
        place = between(place, 0, 3);
        bytes[] memory records = _records(3, 4, 0);
        parent = parent % 3 == 0 ? parent : parent % 12;
        Draft memory d = draft("child");
        d.parents = one(bytes32(parent));
        records[place] = pack(d);
        bytes32 head = provenance.head();
        if (parent >= 3 + place) {
            vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.UnknownParent.selector, bytes32(parent)));
        }
        vm.prank(registrar);
        provenance.registerBatch(head, joined(records));
    }

    function test_a_single_work_can_be_the_parent_of_a_batchs_work() public {
        bytes memory record = pack(draft("single"));
        bytes32 key = singleKey(keccak256("single"), accountOf(0), SALT);
        Draft memory d = draft("child");
        d.parents = one(key);
        bytes32 head = provenance.head();
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.UnknownParent.selector, key));
        vm.prank(registrar);
        provenance.registerBatch(head, pack(d));
        vm.assertEq(register(accountOf(0), record), key, "key");
        enter(one(pack(d)));
    }

    // ---- proofs ----------------------------------------------------------------------------------------------------

    function testFuzz_every_work_is_opened_by_its_own_proof_alone(uint256 size, uint256 pick, bytes32 noise) public {
        enter(_records(0, 3, 0));
        size = between(size, 1, 12);
        bytes[] memory records = _records(3, size, 1);
        enter(records);
        uint256 i = between(pick, 0, size - 1);
        bytes32[] memory nodes = nodesOf(3, records);
        bytes32[] memory proof = Tree.proofOf(nodes, i);
        bytes32 recordHash = keccak256(records[i]);
        vm.assertTrue(provenance.isRecorded(3 + i, 3, recordHash, proof), "recorded");
        vm.assertFalse(provenance.isRecorded(4 + i, 3, recordHash, proof), "not under another number");
        vm.assertFalse(provenance.isRecorded(3 + i, 0, recordHash, proof), "not in another batch");
        vm.assertFalse(provenance.isRecorded(3 + i, 1, recordHash, proof), "not in a batch that never was");
        vm.assertFalse(provenance.isRecorded(3 + i, 3, noise, proof), "no other record");
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.WrongProof.selector, 4 + i));
        provenance.open(4 + i, 3, records[i], proof);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.WrongProof.selector, 3 + i));
        provenance.open(3 + i, 3, bytes.concat(records[i], hex"00"), proof);
        provenance.open(3 + i, 3, records[i], proof);
        ProvenanceRegistry.Work memory stored = provenance.work(bytes32(3 + i));
        vm.assertEq(stored.recordHash, recordHash, "record");
        vm.assertEq(stored.openedAt, block.timestamp, "when");
        vm.assertEq(stored.community, COMMUNITY, "community");
        vm.assertEq(stored.uses, ALL_USES, "uses");
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.WorkExists.selector, bytes32(3 + i)));
        provenance.open(3 + i, 3, records[i], proof);
    }

    function test_an_inner_node_does_not_pass_for_a_leaf() public {
        bytes[] memory records = _records(0, 4, 0);
        enter(records);
        bytes32[] memory nodes = nodesOf(0, records);
        // Node 1 is the hash of nodes 3 and 4, 64 bytes as a leaf's inner preimage is: number and record hash.
        (bytes32 low, bytes32 high) = nodes[3] < nodes[4] ? (nodes[3], nodes[4]) : (nodes[4], nodes[3]);
        vm.assertEq(keccak256(abi.encode(low, high)), nodes[1], "what would pass if leaves were hashed once");
        vm.assertFalse(provenance.isRecorded(uint256(low), 0, high, one(nodes[2])), "inner node");
        (low, high) = nodes[1] < nodes[2] ? (nodes[1], nodes[2]) : (nodes[2], nodes[1]);
        vm.assertFalse(provenance.isRecorded(uint256(low), 0, high, new bytes32[](0)), "root");
    }

    function test_a_false_or_left_out_parent_is_another_record() public {
        bytes[] memory records = _records(0, 3, 0);
        Draft memory d = draft("child");
        d.parents = one(bytes32(uint256(1)));
        records[2] = pack(d);
        enter(records);
        bytes32[] memory proof = Tree.proofOf(nodesOf(0, records), 2);
        d.parents = new bytes32[](0);
        bytes memory without = pack(d);
        d.parents = one(bytes32(uint256(0)));
        bytes memory withAnother = pack(d);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.WrongProof.selector, 2));
        provenance.open(2, 0, without, proof);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.WrongProof.selector, 2));
        provenance.open(2, 0, withAnother, proof);
        provenance.open(2, 0, records[2], proof);
    }

    /// @dev `count` records; each names the work before it, and every third none.
    function _records(uint256 first, uint256 count, uint256 seed) private pure returns (bytes[] memory records) {
        records = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            Draft memory d = draft("work");
            d.content = keccak256(abi.encode("content", first + i, seed));
            if ((first + i) % 3 != 0) d.parents = one(bytes32(first + i - 1));
            records[i] = pack(d);
        }
    }

    function _afterSingle(bytes32 head, uint256 which) private returns (bytes32) {
        Draft memory d = draft("single");
        d.content = keccak256(abi.encode("single", which));
        bytes32 key = register(accountOf(0), pack(d));
        vm.assertEq(key, singleKey(d.content, accountOf(0), SALT), "key");
        return keccak256(abi.encode(head, key, keccak256(pack(d))));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ProvenanceRegistry} from "../src/ProvenanceRegistry.sol";
import {Tree} from "./base/Tree.sol";
import {Works} from "./base/Works.sol";
import {PlainToken} from "./mocks/HostileTokens.sol";

/// @notice Batches, single works, opening, labels and the passing of time in any order; beside them an own fold of the
/// head, and what was permitted at moments that are past.
contract ProvenanceRegistryHandler is Works {
    struct Moment {
        bytes32 key;
        uint48 time;
        uint8 uses;
    }

    bytes32 public head;
    bytes32 public revealed;
    uint256 public numWorks;
    bytes32[] public stored;
    Moment[] public moments;
    /// @notice Whether a batch ever passed with a parent that is not older, or was refused although all were.
    bool public parentsWrong;
    /// @notice Whether a key was ever stored a second time.
    bool public storedTwice;
    mapping(bytes32 key => bool) private _seen;
    bytes[] private _records;
    uint256[] private _firsts;

    constructor() {
        build(new PlainToken(), 3);
        head = keccak256(abi.encode(block.chainid, address(provenance)));
        revealed = head;
    }

    function registry() external view returns (ProvenanceRegistry) {
        return provenance;
    }

    function numMoments() external view returns (uint256) {
        return moments.length;
    }

    /// @dev Parents are any number, older or not: what the registry lets in has older ones.
    function batch(uint256 count, uint256 parent, uint8 uses) external {
        count = between(count, 1, 4);
        bytes[] memory records = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            Draft memory d = draft("work");
            d.content = keccak256(abi.encode("content", numWorks + i));
            d.uses = uses % 32;
            if (parent % 3 > 0) d.parents = one(bytes32((parent >> 8) % (numWorks + count)));
            records[i] = pack(d);
        }
        uint256 asked = parent % 3 > 0 ? (parent >> 8) % (numWorks + count) : 0;
        bool older = parent % 3 == 0 || asked < numWorks;
        bytes32 before = provenance.head();
        vm.prank(registrar);
        try provenance.registerBatch(before, joined(records)) {
            // A handler's own reverts are forgiven, so what must not happen is noted for the invariant to find.
            if (!older) parentsWrong = true;
        } catch {
            if (older) parentsWrong = true;
            return;
        }
        head = keccak256(abi.encode(head, numWorks, count, nodesOf(numWorks, records)[0]));
        for (uint256 i = 0; i < count; ++i) {
            _records.push(records[i]);
            _firsts.push(numWorks);
        }
        numWorks += count;
    }

    function openOne(uint256 which) external {
        if (numWorks == 0) return;
        uint256 number = which % numWorks;
        uint256 first = _firsts[number];
        uint256 count = 0;
        while (first + count < numWorks && _firsts[first + count] == first) ++count;
        bytes[] memory records = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            records[i] = _records[first + i];
        }
        bytes32[] memory proof = Tree.proofOf(nodesOf(first, records), number - first);
        provenance.open(number, first, _records[number], proof);
        _note(bytes32(number));
    }

    function single(uint256 parent) external {
        Draft memory d = draft("single");
        d.content = keccak256(abi.encode("single", stored.length, numWorks, block.timestamp));
        if (stored.length > 0 && parent % 2 == 1) d.parents = one(stored[parent % stored.length]);
        bytes memory record = pack(d);
        bytes32 key = register(accountOf(0), record);
        revealed = keccak256(abi.encode(revealed, key, keccak256(record)));
        _note(key);
    }

    function _note(bytes32 key) private {
        if (_seen[key]) storedTwice = true;
        _seen[key] = true;
        stored.push(key);
    }

    function permit(uint256 which, uint8 uses, uint32 lasts) external {
        bytes32 key = stored.length == 0 || which % 4 == 0 ? ALL_WORKS : stored[which % stored.length];
        label(key, uses % 32, lasts % 2 == 0 ? 0 : uint48(block.timestamp + lasts % 1 days));
    }

    /// @dev Time passes, and what was permitted a second ago is put on record.
    function wait(uint16 seconds_, uint256 which) external {
        vm.warp(block.timestamp + 1 + seconds_);
        if (stored.length == 0 || moments.length == 12) return;
        bytes32 key = stored[which % stored.length];
        uint48 time = uint48(block.timestamp - 1);
        moments.push(Moment(key, time, provenance.permitted(key, time)));
    }
}

/// @notice What holds of the registry whatever is done with it.
contract ProvenanceRegistryInvariantTest is Works {
    ProvenanceRegistryHandler private handler;

    function setUp() public {
        handler = new ProvenanceRegistryHandler();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        bytes4[] memory selectors = new bytes4[](5);
        selectors[0] = ProvenanceRegistryHandler.batch.selector;
        selectors[1] = ProvenanceRegistryHandler.openOne.selector;
        selectors[2] = ProvenanceRegistryHandler.single.selector;
        selectors[3] = ProvenanceRegistryHandler.permit.selector;
        selectors[4] = ProvenanceRegistryHandler.wait.selector;
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_the_head_is_the_fold_of_all_registrations() public view {
        vm.assertEq(handler.registry().head(), handler.head(), "head");
        vm.assertEq(handler.registry().revealedHead(), handler.revealed(), "what is revealed is folded apart");
        vm.assertEq(handler.registry().numWorks(), handler.numWorks(), "works");
        vm.assertFalse(handler.parentsWrong(), "parents exist and are older");
        vm.assertFalse(handler.storedTwice(), "ids are unique");
    }

    /// @dev Once a run: no label given later changed what was permitted at an earlier moment.
    function afterInvariant() public view {
        for (uint256 i = 0; i < handler.numMoments(); ++i) {
            (bytes32 key, uint48 time, uint8 uses) = handler.moments(i);
            vm.assertEq(handler.registry().permitted(key, time), uses, "the past stands");
        }
    }
}

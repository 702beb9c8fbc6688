// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Signing} from "./Signing.sol";
import {Tree} from "./Tree.sol";

/// @title Works: their records, packed by hand, and the ways by which they come in
/// @notice Community 2 is another tradition; `OTHER_MEMBER` signs for it alone.
abstract contract Works is Signing {
    uint8 internal constant TRAIN = 1;
    uint8 internal constant DERIVE = 2;
    uint8 internal constant PERFORM = 4;
    uint8 internal constant SELL = 8;
    uint8 internal constant OUTSIDE = 16;
    uint8 internal constant ALL_USES = 31;
    uint32 internal constant OTHER_COMMUNITY = 2;
    uint256 internal constant OTHER_MEMBER = 50;
    bytes32 internal constant ALL_WORKS = bytes32(type(uint256).max);
    bytes32 internal constant SALT = keccak256("salt");

    struct Draft {
        bytes32 content;
        bytes32 manifest;
        uint32 community;
        uint8 uses;
        uint32 share;
        bytes32[] parents;
        bytes32[] stemIds;
        uint16[] stemBps;
    }

    /// @notice A work of community 1 that permits everything, asks nothing of derivatives and belongs to payee 0.
    function draft(string memory name) internal pure returns (Draft memory made) {
        made.content = keccak256(bytes(name));
        made.community = COMMUNITY;
        made.uses = ALL_USES;
        made.stemIds = new bytes32[](1);
        made.stemIds[0] = idOf(0);
        made.stemBps = new uint16[](1);
        made.stemBps[0] = 10_000;
    }

    function pack(Draft memory d) internal pure returns (bytes memory record) {
        record = abi.encodePacked(
            d.content,
            d.manifest,
            d.community,
            d.uses,
            d.share,
            uint8(d.parents.length),
            uint8(d.stemIds.length),
            d.parents
        );
        for (uint256 i = 0; i < d.stemIds.length; ++i) {
            record = abi.encodePacked(record, d.stemIds[i], d.stemBps[i]);
        }
    }

    function one(bytes32 key) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = key;
    }

    function one(bytes memory record) internal pure returns (bytes[] memory list) {
        list = new bytes[](1);
        list[0] = record;
    }

    /// @notice Keys `first` up to `end`, the end left out.
    function keys(uint256 first, uint256 end) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](end - first);
        for (uint256 i = first; i < end; ++i) {
            list[i - first] = bytes32(i);
        }
    }

    // ---- batches ---------------------------------------------------------------------------------------------------

    function joined(bytes[] memory records) internal pure returns (bytes memory all) {
        for (uint256 i = 0; i < records.length; ++i) {
            all = bytes.concat(all, records[i]);
        }
    }

    function workLeaf(uint256 number, bytes memory record) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(number, keccak256(record)))));
    }

    function nodesOf(uint256 first, bytes[] memory records) internal pure returns (bytes32[] memory) {
        bytes32[] memory leaves = new bytes32[](records.length);
        for (uint256 i = 0; i < records.length; ++i) {
            leaves[i] = workLeaf(first + i, records[i]);
        }
        return Tree.nodesOf(leaves);
    }

    function enter(bytes[] memory records) internal returns (uint256 first) {
        first = provenance.numWorks();
        bytes32 head = provenance.head();
        vm.prank(registrar);
        provenance.registerBatch(head, joined(records));
    }

    /// @notice Enter a work by a batch of its own and store it.
    function enterOpen(bytes memory record) internal returns (bytes32 key) {
        uint256 number = enter(one(record));
        provenance.open(number, number, record, new bytes32[](0));
        return bytes32(number);
    }

    // ---- single works ----------------------------------------------------------------------------------------------

    function commitmentOf(address owner, bytes32 salt, bytes memory record) internal pure returns (bytes32) {
        return keccak256(abi.encode(owner, salt, keccak256(record)));
    }

    function singleKey(bytes32 content, address owner, bytes32 salt) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(provenance), content, owner, salt));
    }

    function announce(address owner, bytes memory record) internal {
        vm.prank(owner);
        provenance.commit(commitmentOf(owner, SALT, record));
    }

    /// @notice Commit, wait and reveal, as `owner`.
    function register(address owner, bytes memory record) internal returns (bytes32 key) {
        announce(owner, record);
        vm.warp(block.timestamp + 60);
        vm.prank(owner);
        return provenance.reveal(record, SALT);
    }

    // ---- another community -----------------------------------------------------------------------------------------

    function addOtherCommunity() internal {
        address[] memory who = new address[](1);
        who[0] = accountOf(OTHER_MEMBER);
        vm.startPrank(registrar);
        payees.createCommunity(OTHER_COMMUNITY, who, 1, FUND);
        payees.registerPayees(row(idOf(OTHER_MEMBER), accountOf(OTHER_MEMBER), OTHER_COMMUNITY));
        vm.stopPrank();
    }

    function labelByOther(bytes32 key, uint8 uses, uint48 expiresAt) internal {
        uint256 nonce = provenance.nonceOf(OTHER_COMMUNITY);
        bytes32 digest = consentDigest(OTHER_COMMUNITY, key, uses, expiresAt, nonce, block.timestamp);
        bytes[] memory list = one(signed(keyOf(OTHER_MEMBER), digest));
        provenance.setConsent(OTHER_COMMUNITY, key, uses, expiresAt, block.timestamp, list);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Records} from "../src/Records.sol";
import {ProvenanceRegistry} from "../src/ProvenanceRegistry.sol";
import {Works} from "./base/Works.sol";
import {PlainToken} from "./mocks/HostileTokens.sol";

/// @dev Reads a record the way the contracts do.
contract Reader {
    using Records for bytes;

    function terms(bytes calldata record)
        external
        pure
        returns (bytes32 content, uint32 community, uint8 uses, uint32 share, uint256 parents, uint256 stems)
    {
        return (
            record.content(),
            record.community(),
            record.uses(),
            record.derivativeShare(),
            record.numParents(),
            record.numStems()
        );
    }

    function parent(bytes calldata record, uint256 i) external pure returns (bytes32) {
        return record.parent(i);
    }

    function stem(bytes calldata record, uint256 i) external pure returns (bytes32, uint256) {
        return record.stem(i);
    }

    function size(bytes calldata record) external pure returns (uint256) {
        return record.size();
    }

    function check(bytes calldata record) external pure {
        record.check();
    }
}

/// @notice The packed record: it is read back as it was packed, and one that breaks a rule is refused by that rule.
contract RecordsTest is Works {
    Reader private reader;

    function setUp() public {
        build(new PlainToken(), 3);
        reader = new Reader();
    }

    function testFuzz_a_record_is_read_back_as_it_was_packed(Draft memory d, uint256 parents, uint256 stems) public view {
        d.parents = _ascending(between(parents, 0, 16));
        (d.stemIds, d.stemBps) = _stems(between(stems, 0, 16));
        bytes memory record = pack(d);
        (bytes32 content, uint32 community, uint8 uses, uint32 share, uint256 np, uint256 ns) = reader.terms(record);
        vm.assertEq(content, d.content, "content");
        vm.assertEq(community, d.community, "community");
        vm.assertEq(uses, d.uses, "uses");
        vm.assertEq(share, d.share, "share");
        vm.assertEq(np, d.parents.length, "parents");
        vm.assertEq(ns, d.stemIds.length, "stems");
        for (uint256 i = 0; i < np; ++i) {
            vm.assertEq(reader.parent(record, i), d.parents[i], "parent");
        }
        for (uint256 i = 0; i < ns; ++i) {
            (bytes32 id, uint256 bps) = reader.stem(record, i);
            vm.assertEq(id, d.stemIds[i], "stem's payee");
            vm.assertEq(bps, d.stemBps[i], "stem's share");
        }
        vm.assertEq(reader.size(bytes.concat(record, hex"0102")), record.length, "size among what follows");
    }

    function testFuzz_a_record_cut_short_is_refused(uint256 parents, uint256 stems, uint256 cut) public {
        Draft memory d = draft("cut");
        d.parents = _ascending(between(parents, 0, 16));
        (d.stemIds, d.stemBps) = _stems(between(stems, 0, 16));
        bytes memory record = pack(d);
        cut = between(cut, 0, record.length - 1);
        assembly ("memory-safe") {
            mstore(record, cut)
        }
        vm.expectRevert(abi.encodeWithSelector(Records.RecordTooShort.selector, cut));
        reader.size(record);
    }

    function test_sixteen_parents_and_stems_pass_and_seventeen_do_not() public {
        Draft memory d = draft("many");
        d.parents = _ascending(16);
        (d.stemIds, d.stemBps) = _stems(16);
        reader.check(pack(d));
        d.parents = _ascending(17);
        vm.expectRevert(abi.encodeWithSelector(Records.TooManyParents.selector, 17));
        reader.check(pack(d));
        d.parents = _ascending(16);
        (d.stemIds, d.stemBps) = _stems(17);
        vm.expectRevert(abi.encodeWithSelector(Records.TooManyStems.selector, 17));
        reader.check(pack(d));
    }

    function testFuzz_only_the_five_named_uses_exist(uint8 uses) public {
        Draft memory d = draft("uses");
        d.uses = uses;
        if (uses > 31) vm.expectRevert(abi.encodeWithSelector(Records.UnknownUses.selector, uses));
        reader.check(pack(d));
    }

    function testFuzz_nothing_asks_more_than_the_whole_of_a_derivative(uint32 share) public {
        Draft memory d = draft("share");
        d.share = share;
        if (share > 1e8) vm.expectRevert(abi.encodeWithSelector(Records.ShareAboveWhole.selector, share));
        reader.check(pack(d));
    }

    function test_the_whole_is_the_most_that_can_be_asked() public {
        Draft memory d = draft("share");
        d.share = 1e8;
        reader.check(pack(d));
        d.share = 1e8 + 1;
        vm.expectRevert(abi.encodeWithSelector(Records.ShareAboveWhole.selector, 1e8 + 1));
        reader.check(pack(d));
    }

    function testFuzz_stems_share_exactly_the_whole(uint16 a, uint16 b) public {
        Draft memory d = draft("stems");
        (d.stemIds, d.stemBps) = _stems(2);
        (d.stemBps[0], d.stemBps[1]) = (a, b);
        uint256 sum = uint256(a) + b;
        if (sum != 10_000) vm.expectRevert(abi.encodeWithSelector(Records.StemsDoNotSum.selector, sum));
        reader.check(pack(d));
    }

    function testFuzz_parents_are_named_in_ascending_order_each_once(bytes32 a, bytes32 b) public {
        Draft memory d = draft("parents");
        d.parents = new bytes32[](2);
        (d.parents[0], d.parents[1]) = (a, b);
        if (a >= b) vm.expectRevert(Records.ParentsNotAscending.selector);
        reader.check(pack(d));
    }

    function test_a_parent_named_twice_is_refused() public {
        enter(one(pack(draft("parent"))));
        Draft memory d = draft("child");
        d.parents = new bytes32[](2);
        bytes32 head = provenance.head();
        vm.expectRevert(Records.ParentsNotAscending.selector);
        vm.prank(registrar);
        provenance.registerBatch(head, pack(d));
    }

    function test_a_single_works_record_ends_where_it_ends() public {
        bytes memory record = bytes.concat(pack(draft("single")), hex"00");
        announce(accountOf(0), record);
        vm.warp(block.timestamp + 60);
        vm.expectRevert(
            abi.encodeWithSelector(
                ProvenanceRegistry.WrongRecordLength.selector, record.length - 1, record.length
            )
        );
        vm.prank(accountOf(0));
        provenance.reveal(record, SALT);
    }

    function _ascending(uint256 n) private pure returns (bytes32[] memory list) {
        return keys(7, 7 + n);
    }

    function _stems(uint256 n) private pure returns (bytes32[] memory ids, uint16[] memory bps) {
        (ids, bps) = (new bytes32[](n), new uint16[](n));
        for (uint256 i = 0; i < n; ++i) {
            ids[i] = idOf(i);
            bps[i] = uint16(i == 0 ? 10_000 - 500 * (n - 1) : 500);
        }
    }
}

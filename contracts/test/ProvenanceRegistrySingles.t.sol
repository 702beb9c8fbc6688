// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {ProvenanceRegistry} from "../src/ProvenanceRegistry.sol";
import {Works} from "./base/Works.sol";
import {PlainToken} from "./mocks/HostileTokens.sol";
import {Wallet} from "./mocks/Wallets.sol";

/// @notice Works registered one by one: nobody takes another's registration, name, content or tradition.
contract ProvenanceRegistrySinglesTest is Works {
    address private owner = accountOf(0);

    function setUp() public {
        build(new PlainToken(), 3);
        addOtherCommunity();
    }

    // ---- commit and reveal -----------------------------------------------------------------------------------------

    function testFuzz_a_commitment_is_revealed_between_a_minute_and_a_day_later(uint32 wait) public {
        wait = uint32(between(wait, 0, 2 days));
        bytes memory record = pack(draft("song"));
        uint256 since = block.timestamp;
        announce(owner, record);
        vm.warp(since + wait);
        if (wait < 60) {
            vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.CommitmentNotReady.selector, since + 60));
        } else if (wait > 1 days) {
            vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.CommitmentLapsed.selector, since + 1 days));
        }
        vm.prank(owner);
        bytes32 key = provenance.reveal(record, SALT);
        bool inTime = wait >= 60 && wait <= 1 days;
        vm.assertEq(provenance.work(key).recordHash, inTime ? keccak256(record) : bytes32(0), "stored");
    }

    function test_the_edges_of_the_minute_and_the_day() public {
        bytes memory record = pack(draft("song"));
        uint256 since = block.timestamp;
        announce(owner, record);
        uint32[4] memory waits = [uint32(59), 1 days + 1, 60, 1 days];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 state = vm.snapshotState();
            vm.warp(since + waits[i]);
            if (i < 2) vm.expectRevert();
            vm.prank(owner);
            provenance.reveal(record, SALT);
            vm.revertToState(state);
        }
    }

    function test_what_was_not_announced_is_not_revealed() public {
        bytes memory record = pack(draft("song"));
        vm.expectRevert(
            abi.encodeWithSelector(ProvenanceRegistry.NotCommitted.selector, commitmentOf(owner, SALT, record))
        );
        vm.prank(owner);
        provenance.reveal(record, SALT);
    }

    function test_a_commitment_that_somebody_copied_serves_its_owner_all_the_same() public {
        bytes memory record = pack(draft("song"));
        bytes32 commitment = commitmentOf(owner, SALT, record);
        vm.prank(stranger);
        provenance.commit(commitment);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.AlreadyCommitted.selector, commitment));
        vm.prank(owner);
        provenance.commit(commitment);
        vm.warp(block.timestamp + 60);
        vm.prank(owner);
        provenance.reveal(record, SALT);
    }

    function test_a_reveal_seen_on_its_way_is_not_taken_over() public {
        bytes memory record = pack(draft("song"));
        announce(owner, record);
        vm.warp(block.timestamp + 60);
        // The thief now knows record and salt. Revealing them is the owner's alone, and an own commitment takes a minute.
        vm.expectPartialRevert(ProvenanceRegistry.NotCommitted.selector);
        vm.prank(stranger);
        provenance.reveal(record, SALT);
        announce(stranger, record);
        vm.expectPartialRevert(ProvenanceRegistry.CommitmentNotReady.selector);
        vm.prank(stranger);
        provenance.reveal(record, SALT);
        vm.prank(owner);
        bytes32 key = provenance.reveal(record, SALT);
        vm.warp(block.timestamp + 60);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.ContentTaken.selector, keccak256("song"), key));
        vm.prank(stranger);
        provenance.reveal(record, SALT);
    }

    function test_a_lapsed_commitment_is_made_again() public {
        bytes memory record = pack(draft("song"));
        announce(owner, record);
        vm.warp(block.timestamp + 1 days);
        vm.expectPartialRevert(ProvenanceRegistry.AlreadyCommitted.selector);
        announce(owner, record);
        vm.warp(block.timestamp + 1);
        register(owner, record);
    }

    // ---- ids and copies --------------------------------------------------------------------------------------------

    function testFuzz_different_works_have_different_keys(bytes32 a, bytes32 b, uint256 number) public {
        vm.assume(a != b);
        Draft memory d = draft("song");
        d.content = a;
        bytes32 first = register(owner, pack(d));
        d.content = b;
        bytes32 second = register(owner, pack(d));
        vm.assertNotEq(first, second, "key");
        vm.assertGt(uint256(first), between(number, 0, 1 << 128), "far above every number");
    }

    function test_the_content_of_a_stored_work_of_a_batch_is_not_registered_by_others() public {
        bytes memory record = pack(draft("archive song"));
        uint256 number = enter(one(record));
        Draft memory copy = draft("archive song");
        copy.community = 0;
        copy.stemIds[0] = keccak256("the copier");
        announce(stranger, pack(copy));
        provenance.open(number, number, record, new bytes32[](0));
        vm.warp(block.timestamp + 60);
        vm.expectRevert(
            abi.encodeWithSelector(ProvenanceRegistry.ContentTaken.selector, keccak256("archive song"), bytes32(number))
        );
        vm.prank(stranger);
        provenance.reveal(pack(copy), SALT);
    }

    function test_a_copy_that_came_first_does_not_keep_the_original_from_being_opened() public {
        bytes memory record = pack(draft("archive song"));
        uint256 number = enter(one(record));
        Draft memory copy = draft("archive song");
        copy.community = 0;
        bytes32 key = register(stranger, pack(copy));
        provenance.open(number, number, record, new bytes32[](0));
        vm.assertEq(provenance.work(bytes32(number)).recordHash, keccak256(record), "stored");
        (, bytes32 holder) = provenance.keyOfContent(keccak256("archive song"));
        vm.assertEq(holder, key, "the copy keeps its place");
    }

    function test_the_key_says_chain_registry_content_owner_and_salt() public {
        bytes memory record = pack(draft("song"));
        bytes32 key = register(owner, record);
        vm.assertEq(key, singleKey(keccak256("song"), owner, SALT), "key");
        (bool isTaken, bytes32 holder) = provenance.keyOfContent(keccak256("song"));
        vm.assertTrue(isTaken, "taken");
        vm.assertEq(holder, key, "by this work");
        (isTaken,) = provenance.keyOfContent(keccak256("another song"));
        vm.assertFalse(isTaken, "free");
    }

    function test_a_copy_of_the_content_is_refused_whatever_else_it_says() public {
        bytes32 key = register(owner, pack(draft("song")));
        Draft memory copy = draft("song");
        copy.stemIds[0] = idOf(1);
        copy.manifest = keccak256("another manifest");
        copy.share = 5e7;
        announce(accountOf(1), pack(copy));
        vm.warp(block.timestamp + 60);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.ContentTaken.selector, keccak256("song"), key));
        vm.prank(accountOf(1));
        provenance.reveal(pack(copy), SALT);
    }

    function test_a_registration_is_not_repeated_under_its_old_commitment() public {
        bytes memory record = pack(draft("song"));
        register(owner, record);
        vm.expectPartialRevert(ProvenanceRegistry.NotCommitted.selector);
        vm.prank(owner);
        provenance.reveal(record, SALT);
    }

    // ---- by signature ----------------------------------------------------------------------------------------------

    function test_the_registrar_brings_what_the_owner_signed_once() public {
        bytes memory record = pack(draft("song"));
        bytes memory signature =
            signed(keyOf(0), registrationDigest(keccak256(record), owner, SALT, block.timestamp));
        vm.prank(registrar);
        bytes32 key = provenance.registerSigned(record, owner, SALT, block.timestamp, signature);
        vm.assertEq(key, singleKey(keccak256("song"), owner, SALT), "key");
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.ContentTaken.selector, keccak256("song"), key));
        vm.prank(registrar);
        provenance.registerSigned(record, owner, SALT, block.timestamp, signature);
    }

    function test_nobody_else_brings_it_so_nobody_runs_ahead() public {
        bytes memory record = pack(draft("song"));
        bytes memory signature =
            signed(keyOf(0), registrationDigest(keccak256(record), owner, SALT, block.timestamp));
        bytes32 role = provenance.REGISTRAR_ROLE();
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, stranger, role)
        );
        vm.prank(stranger);
        provenance.registerSigned(record, owner, SALT, block.timestamp, signature);
    }

    function test_the_owners_signature_holds_for_all_it_says() public {
        bytes memory record = pack(draft("song"));
        bytes memory forged = pack(draft("another song"));
        uint256 deadline = block.timestamp + 10;
        bytes32 digest = registrationDigest(keccak256(record), owner, SALT, deadline);
        bytes memory signature = signed(keyOf(0), digest);
        vm.startPrank(registrar);
        vm.expectPartialRevert(ProvenanceRegistry.WrongSignature.selector);
        provenance.registerSigned(forged, owner, SALT, deadline, signature);
        vm.expectPartialRevert(ProvenanceRegistry.WrongSignature.selector);
        provenance.registerSigned(record, stranger, SALT, deadline, signature);
        vm.expectPartialRevert(ProvenanceRegistry.WrongSignature.selector);
        provenance.registerSigned(record, owner, keccak256("other salt"), deadline, signature);
        vm.expectPartialRevert(ProvenanceRegistry.WrongSignature.selector);
        provenance.registerSigned(record, owner, SALT, deadline + 1, signature);
        vm.expectPartialRevert(ProvenanceRegistry.WrongSignature.selector);
        provenance.registerSigned(record, owner, SALT, deadline, malleable(keyOf(0), digest));
        vm.expectPartialRevert(ProvenanceRegistry.WrongSignature.selector);
        provenance.registerSigned(record, address(0), SALT, deadline, new bytes(65));
        vm.chainId(block.chainid + 1);
        vm.expectPartialRevert(ProvenanceRegistry.WrongSignature.selector);
        provenance.registerSigned(record, owner, SALT, deadline, signature);
        vm.chainId(block.chainid - 1);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.SignatureExpired.selector, deadline));
        provenance.registerSigned(record, owner, SALT, deadline, signature);
        vm.stopPrank();
    }

    function test_a_wallet_that_is_a_contract_owns_works() public {
        Wallet wallet = new Wallet(owner);
        bytes memory record = pack(draft("song"));
        bytes memory signature =
            signed(keyOf(0), registrationDigest(keccak256(record), address(wallet), SALT, block.timestamp));
        wallet.setAnswer(Wallet.Answer.WRONG_MAGIC);
        vm.expectPartialRevert(ProvenanceRegistry.WrongSignature.selector);
        vm.prank(registrar);
        provenance.registerSigned(record, address(wallet), SALT, block.timestamp, signature);
        wallet.setAnswer(Wallet.Answer.HONEST);
        vm.prank(registrar);
        provenance.registerSigned(record, address(wallet), SALT, block.timestamp, signature);
    }

    // ---- whose tradition -------------------------------------------------------------------------------------------

    function test_an_outsider_does_not_add_to_a_tradition() public {
        Draft memory d = draft("claimed");
        _refusedFor(stranger, d);
        // Nor with a member among the stems, nor as the payee of another community, nor with no stems at all.
        _refusedFor(accountOf(OTHER_MEMBER), d);
        d.stemIds[0] = idOf(OTHER_MEMBER);
        _refusedFor(accountOf(OTHER_MEMBER), d);
        (d.stemIds, d.stemBps) = (new bytes32[](0), new uint16[](0));
        _refusedFor(owner, d);
    }

    function test_an_outsider_registers_outside_every_tradition() public {
        Draft memory d = draft("own");
        d.community = 0;
        register(stranger, pack(d));
    }

    function test_one_stem_of_the_owner_among_others_is_enough() public {
        Draft memory d = draft("shared");
        (d.stemIds, d.stemBps) = (new bytes32[](2), new uint16[](2));
        (d.stemIds[0], d.stemBps[0]) = (idOf(OTHER_MEMBER), 9_999);
        (d.stemIds[1], d.stemBps[1]) = (idOf(0), 1);
        register(owner, pack(d));
    }

    function test_the_registrar_answers_for_the_community_of_what_it_brings() public {
        bytes memory record = pack(draft("vouched for"));
        uint256 key = uint256(keccak256("an elder without a payee id"));
        bytes memory signature =
            signed(key, registrationDigest(keccak256(record), vm.addr(key), SALT, block.timestamp));
        vm.prank(registrar);
        provenance.registerSigned(record, vm.addr(key), SALT, block.timestamp, signature);
    }

    function _refusedFor(address who, Draft memory d) private {
        bytes memory record = pack(d);
        uint256 state = vm.snapshotState();
        announce(who, record);
        vm.warp(block.timestamp + 60);
        vm.expectRevert(
            abi.encodeWithSelector(ProvenanceRegistry.NotOfCommunity.selector, who, d.community)
        );
        vm.prank(who);
        provenance.reveal(record, SALT);
        vm.revertToState(state);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PayeeRegistry} from "../src/PayeeRegistry.sol";
import {ProvenanceRegistry} from "../src/ProvenanceRegistry.sol";
import {Works} from "./base/Works.sol";
import {PlainToken} from "./mocks/HostileTokens.sol";

/// @notice Consent: what counts now for a derivative, what counted at every past second, and whose word it is.
contract ProvenanceRegistryConsentTest is Works {
    struct Label {
        bytes32 key;
        uint48 since;
        uint8 uses;
        uint48 expiresAt;
    }

    address private owner = accountOf(0);
    bytes32 private parent;

    function setUp() public {
        build(new PlainToken(), 3);
        addOtherCommunity();
        parent = enterOpen(pack(draft("parent")));
    }

    // ---- derivatives -----------------------------------------------------------------------------------------------

    function test_a_derivative_within_the_tradition_needs_derive() public {
        label(parent, ALL_USES - DERIVE, 0);
        _refused(_child(COMMUNITY), ALL_USES - DERIVE);
        label(parent, DERIVE, 0);
        register(owner, pack(_child(COMMUNITY)));
    }

    function test_a_derivative_outside_the_tradition_needs_that_too() public {
        label(parent, ALL_USES - OUTSIDE, 0);
        _refused(_child(0), ALL_USES - OUTSIDE);
        label(parent, OUTSIDE, 0);
        _refused(_child(0), OUTSIDE);
        label(parent, DERIVE | OUTSIDE, 0);
        register(owner, pack(_child(0)));
    }

    function test_what_the_record_itself_forbids_is_refused_without_any_label() public {
        Draft memory closed = draft("closed");
        closed.uses = PERFORM;
        parent = enterOpen(pack(closed));
        _refused(_child(COMMUNITY), PERFORM);
    }

    function test_consent_is_withdrawn_between_commitment_and_reveal() public {
        bytes memory record = pack(_child(COMMUNITY));
        announce(owner, record);
        label(parent, 0, 0);
        vm.warp(block.timestamp + 60);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.NoConsent.selector, parent, 0));
        vm.prank(owner);
        provenance.reveal(record, SALT);
        label(parent, ALL_USES, 0);
        vm.prank(owner);
        provenance.reveal(record, SALT);
    }

    function test_consent_ends_with_the_second_of_its_expiry() public {
        uint48 end = uint48(block.timestamp + 100);
        label(parent, ALL_USES, end);
        bytes memory record = pack(_child(COMMUNITY));
        announce(owner, record);
        vm.warp(end);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.NoConsent.selector, parent, 0));
        vm.prank(owner);
        provenance.reveal(record, SALT);
        vm.warp(end - 1);
        vm.prank(owner);
        provenance.reveal(record, SALT);
    }

    function test_a_label_for_all_works_narrows_and_never_widens() public {
        label(ALL_WORKS, DERIVE, 0);
        vm.assertEq(provenance.permitted(parent, uint48(block.timestamp)), DERIVE, "narrowed");
        label(parent, PERFORM, 0);
        vm.assertEq(provenance.permitted(parent, uint48(block.timestamp)), 0, "both count");
        label(ALL_WORKS, 0, 0);
        label(parent, ALL_USES, 0);
        _refused(_child(COMMUNITY), 0);
    }

    function test_every_parent_has_to_permit() public {
        bytes32 second = enterOpen(pack(draft("second parent")));
        Draft memory d = _child(COMMUNITY);
        d.parents = new bytes32[](2);
        (d.parents[0], d.parents[1]) = (parent, second);
        label(second, 0, 0);
        bytes memory record = pack(d);
        announce(owner, record);
        vm.warp(block.timestamp + 60);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.NoConsent.selector, second, 0));
        vm.prank(owner);
        provenance.reveal(record, SALT);
    }

    function test_a_single_works_parents_have_to_be_stored() public {
        bytes32 key = bytes32(enter(one(pack(draft("not opened")))));
        Draft memory d = _child(COMMUNITY);
        d.parents = one(key);
        bytes memory record = pack(d);
        announce(owner, record);
        vm.warp(block.timestamp + 60);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.ParentNotOpen.selector, key));
        vm.prank(owner);
        provenance.reveal(record, SALT);
    }

    function test_no_work_is_its_own_parent() public {
        Draft memory d = _child(COMMUNITY);
        bytes32 self = singleKey(d.content, owner, SALT);
        d.parents = one(self);
        bytes memory record = pack(d);
        announce(owner, record);
        vm.warp(block.timestamp + 60);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.ParentNotOpen.selector, self));
        vm.prank(owner);
        provenance.reveal(record, SALT);
    }

    function test_sixteen_labelled_parents_are_asked_within_one_transaction() public {
        Draft memory d = _child(COMMUNITY);
        d.parents = new bytes32[](16);
        for (uint256 i = 0; i < 16; ++i) {
            Draft memory p = draft("parent");
            p.content = keccak256(abi.encode("parent", i));
            d.parents[i] = enterOpen(pack(p));
            label(d.parents[i], DERIVE, 0);
        }
        label(ALL_WORKS, DERIVE, 0);
        bytes memory record = pack(d);
        announce(owner, record);
        vm.warp(block.timestamp + 60);
        vm.prank(owner);
        uint256 before = gasleft();
        provenance.reveal(record, SALT);
        vm.assertLt(before - gasleft(), 500_000, "gas");
    }

    // ---- the time of use -------------------------------------------------------------------------------------------

    /// @dev Labels in any order, several within one second among them; every second is asked for afterwards, and answered
    /// by going through all labels from the latest back.
    function testFuzz_consent_at_every_past_second_is_what_the_labels_said(bytes32[10] memory noise) public {
        uint256 start = block.timestamp;
        Label[] memory said = new Label[](noise.length);
        for (uint256 i = 0; i < noise.length; ++i) {
            vm.warp(block.timestamp + uint8(noise[i][0]) % 4);
            said[i].key = uint8(noise[i][1]) % 3 == 0 ? ALL_WORKS : parent;
            said[i].uses = uint8(noise[i][2]) % 32;
            said[i].since = uint48(block.timestamp);
            if (uint8(noise[i][3]) % 2 == 0) said[i].expiresAt = uint48(start + uint8(noise[i][4]) % 40);
            label(said[i].key, said[i].uses, said[i].expiresAt);
        }
        for (uint256 time = start - 2; time < start + 42; ++time) {
            uint8 expected = _last(said, parent, ALL_USES, time) & _last(said, ALL_WORKS, ALL_USES, time);
            vm.assertEq(provenance.permitted(parent, uint48(time)), expected, "uses at the moment");
        }
    }

    function test_of_two_labels_within_a_second_the_later_counts_for_all_of_it() public {
        label(parent, 0, 0);
        label(parent, TRAIN, 0);
        vm.assertEq(provenance.permitted(parent, uint48(block.timestamp)), TRAIN, "the later");
        vm.assertEq(provenance.numLabels(COMMUNITY, parent), 1, "one entry");
        (uint48 since, uint8 uses, uint48 expiresAt) = provenance.labelOf(COMMUNITY, parent, 0);
        vm.assertEq(since, block.timestamp, "since");
        vm.assertEq(uses, TRAIN, "uses");
        vm.assertEq(expiresAt, 0, "for ever");
    }

    function test_withdrawal_leaves_the_past_as_it_was() public {
        vm.warp(block.timestamp + 100);
        label(parent, 0, 0);
        uint48 then = uint48(block.timestamp);
        vm.warp(block.timestamp + 1000 days);
        vm.assertEq(provenance.permitted(parent, then - 1), ALL_USES, "used in time");
        vm.assertEq(provenance.permitted(parent, then), 0, "used too late");
        vm.assertEq(provenance.permitted(parent, uint48(block.timestamp)), 0, "and for ever");
    }

    function testFuzz_a_work_of_a_batch_that_is_not_stored_is_asked_for_by_its_records_terms(uint8 uses) public {
        uses %= 32;
        bytes32 key = bytes32(uint256(77));
        uint48 now_ = uint48(block.timestamp);
        vm.assertEq(provenance.consentAt(COMMUNITY, key, uses, now_), uses, "what it carries");
        vm.warp(now_ + 1);
        label(key, PERFORM, 0);
        label(ALL_WORKS, PERFORM | SELL, 0);
        vm.assertEq(provenance.consentAt(COMMUNITY, key, uses, now_ + 1), PERFORM, "its own label, narrowed");
        vm.assertEq(provenance.consentAt(COMMUNITY, key, uses, now_), uses, "and what it carried before");
    }

    function testFuzz_nothing_is_permitted_for_works_that_are_not_stored(bytes32 key, uint48 time) public view {
        vm.assume(key != parent);
        vm.assertEq(provenance.permitted(key, time), 0, "nothing");
    }

    // ---- whose word ------------------------------------------------------------------------------------------------

    function test_another_communitys_label_changes_nothing() public {
        labelByOther(parent, 0, 0);
        labelByOther(ALL_WORKS, 0, 0);
        vm.assertEq(provenance.permitted(parent, uint48(block.timestamp)), ALL_USES, "own community's word alone");
        label(parent, 0, 0);
        labelByOther(parent, ALL_USES, 0);
        _refused(_child(COMMUNITY), 0);
    }

    function test_labels_are_signed_by_enough_members_of_that_community() public {
        bytes32 digest = consentDigest(COMMUNITY, parent, 0, 0, 0, block.timestamp);
        bytes[] memory list = signatures(digest, 1);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.TooFewSignatures.selector, 2, 1));
        provenance.setConsent(COMMUNITY, parent, 0, 0, block.timestamp, list);
        bytes[] memory theirs = one(signed(keyOf(OTHER_MEMBER), digest));
        vm.expectPartialRevert(PayeeRegistry.TooFewSignatures.selector);
        provenance.setConsent(COMMUNITY, parent, 0, 0, block.timestamp, theirs);
        vm.expectRevert(abi.encodeWithSelector(PayeeRegistry.UnknownCommunity.selector, 0));
        provenance.setConsent(0, parent, 0, 0, block.timestamp, list);
    }

    function test_a_label_is_not_replayed_and_holds_for_all_it_says() public {
        uint256 deadline = block.timestamp + 10;
        bytes[] memory list = signatures(consentDigest(COMMUNITY, parent, TRAIN, 0, 0, deadline), TWO_SIGN);
        bytes4 wrong = PayeeRegistry.WrongSignature.selector;
        vm.expectPartialRevert(wrong);
        provenance.setConsent(COMMUNITY, ALL_WORKS, TRAIN, 0, deadline, list);
        vm.expectPartialRevert(wrong);
        provenance.setConsent(COMMUNITY, parent, ALL_USES, 0, deadline, list);
        vm.expectPartialRevert(wrong);
        provenance.setConsent(COMMUNITY, parent, TRAIN, 1, deadline, list);
        vm.expectPartialRevert(wrong);
        provenance.setConsent(COMMUNITY, parent, TRAIN, 0, deadline + 1, list);
        vm.chainId(block.chainid + 1);
        vm.expectPartialRevert(wrong);
        provenance.setConsent(COMMUNITY, parent, TRAIN, 0, deadline, list);
        vm.chainId(block.chainid - 1);
        ProvenanceRegistry twin = new ProvenanceRegistry(admin, registrar, payees);
        vm.expectPartialRevert(wrong);
        twin.setConsent(COMMUNITY, parent, TRAIN, 0, deadline, list);
        provenance.setConsent(COMMUNITY, parent, TRAIN, 0, deadline, list);
        label(parent, 0, 0);
        vm.expectPartialRevert(wrong);
        provenance.setConsent(COMMUNITY, parent, TRAIN, 0, deadline, list);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.SignatureExpired.selector, deadline));
        provenance.setConsent(COMMUNITY, parent, TRAIN, 0, deadline, list);
    }

    function testFuzz_a_label_names_known_uses_only(uint8 uses) public {
        vm.assume(uses > 31);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.UnknownUses.selector, uses));
        provenance.setConsent(COMMUNITY, parent, uses, 0, block.timestamp, new bytes[](3));
    }

    function _child(uint32 community) private view returns (Draft memory d) {
        d = draft("child");
        d.community = community;
        d.parents = one(parent);
    }

    function _refused(Draft memory d, uint8 uses) private {
        bytes memory record = pack(d);
        uint256 state = vm.snapshotState();
        announce(owner, record);
        vm.warp(block.timestamp + 60);
        vm.expectRevert(abi.encodeWithSelector(ProvenanceRegistry.NoConsent.selector, parent, uses));
        vm.prank(owner);
        provenance.reveal(record, SALT);
        vm.revertToState(state);
    }

    function _last(Label[] memory said, bytes32 key, uint8 otherwise, uint256 time) private pure returns (uint8) {
        for (uint256 i = said.length; i > 0; --i) {
            Label memory l = said[i - 1];
            if (l.key != key || l.since > time) continue;
            return l.expiresAt != 0 && time >= l.expiresAt ? 0 : l.uses;
        }
        return otherwise;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SettlementToken} from "../src/SettlementToken.sol";
import {Test} from "./base/Test.sol";
import {PushSplitter} from "./PushSplitter.sol";
import {HostileToken} from "./mocks/HostileTokens.sol";

/// @notice The token in which royalties are settled.
contract SettlementTokenTest is Test {
    SettlementToken private _token = new SettlementToken("Heritage euro", "hEUR", address(this));

    function test_it_says_what_it_is() public view {
        vm.assertEq(_token.name(), "Heritage euro", "name");
        vm.assertEq(_token.symbol(), "hEUR", "symbol");
        vm.assertEq(_token.decimals(), 6, "decimals");
        vm.assertEq(_token.minter(), address(this), "minter");
    }

    function testFuzz_the_minter_alone_mints(address who, uint256 amount) public {
        vm.assume(who != address(this) && who != address(0));
        vm.expectRevert(abi.encodeWithSelector(SettlementToken.NotMinter.selector, who));
        vm.prank(who);
        _token.mint(who, amount);
        _token.mint(who, amount);
        vm.assertEq(_token.balanceOf(who), amount, "minted");
        vm.assertEq(_token.totalSupply(), amount, "supply");
    }
}

/// @notice The baseline does what it is measured for, and shows what it is not good at.
contract PushSplitterTest is Test {
    HostileToken private _token = new HostileToken();
    PushSplitter private _splitter = new PushSplitter(_token);

    function setUp() public {
        _token.mint(address(this), type(uint128).max);
        _token.approve(address(_splitter), type(uint256).max);
    }

    function testFuzz_every_row_is_paid_and_nothing_stays(uint96[5] memory amounts) public {
        (bytes memory rows, uint256 total) = _rows(amounts);
        _splitter.push(total, rows);
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(_token.balanceOf(address(uint160(0x1000 + i))), amounts[i], "paid");
        }
        vm.assertEq(_token.balanceOf(address(_splitter)), 0, "nothing stays");
    }

    function testFuzz_rows_that_do_not_sum_to_the_total_are_refused(uint96[5] memory amounts, uint96 more) public {
        (bytes memory rows, uint256 total) = _rows(amounts);
        uint256 wrong = total + between(more, 1, type(uint96).max);
        vm.expectRevert(abi.encodeWithSelector(PushSplitter.WrongTotal.selector, wrong, total));
        _splitter.push(wrong, rows);
    }

    function test_half_a_row_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(PushSplitter.WrongLength.selector, 33));
        _splitter.push(0, new bytes(33));
    }

    function test_one_payee_who_cannot_be_paid_stops_all() public {
        uint96[5] memory amounts = [uint96(1), 2, 3, 4, 5];
        (bytes memory rows, uint256 total) = _rows(amounts);
        _token.treat(address(uint160(0x1004)), HostileToken.Treatment.REVERTS);
        vm.expectPartialRevert(HostileToken.Blocked.selector);
        _splitter.push(total, rows);
    }

    function _rows(uint96[5] memory amounts) private pure returns (bytes memory rows, uint256 total) {
        for (uint256 i = 0; i < 5; ++i) {
            rows = bytes.concat(rows, abi.encodePacked(address(uint160(0x1000 + i)), amounts[i]));
            total += amounts[i];
        }
    }
}

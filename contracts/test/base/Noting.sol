// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a handler of an invariant run saw go wrong
/// @notice forge forgives every revert inside a handler, a failed assertion included, and undoes what an invariant writes.
/// So a handler puts down what must not have happened, and the invariant asks for it.
abstract contract Noting {
    /// @notice The first thing that went wrong; empty while all is well.
    string public broken;

    function must(bool holds, string memory what) internal {
        if (!holds && bytes(broken).length == 0) broken = what;
    }
}

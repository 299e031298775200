// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// Many calls in one, for a node that is asked to carry it out without a transaction. The input is
/// a row of address, length and data, the output a row of success, length and answer; what has a
/// length fills whole words.
contract Batch {
    fallback() external {
        assembly {
            function whole(size) -> words {
                words := and(add(size, 31), not(31))
            }
            let found := mload(0x40)
            let free := found
            let at := 0
            for {} lt(at, calldatasize()) {} {
                let size := calldataload(add(at, 32))
                calldatacopy(free, add(at, 64), size)
                // Some old code burns all that it is given where it refuses.
                mstore(free, call(5000000, calldataload(at), 0, free, size, 0, 0))
                mstore(add(free, 32), returndatasize())
                returndatacopy(add(free, 64), 0, returndatasize())
                free := add(free, add(64, whole(returndatasize())))
                at := add(at, add(64, whole(size)))
            }
            return(found, sub(free, found))
        }
    }
}

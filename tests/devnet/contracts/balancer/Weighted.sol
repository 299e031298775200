// SPDX-License-Identifier: MIT
pragma solidity ^0.7.0;

import "@balancer-labs/v2-pool-weighted/contracts/WeightedMath.sol";

/// Balancer's own arithmetic, one swap a call, as its pools put it together.
contract Weighted is WeightedMath {
    using FixedPoint for uint256;

    function power(uint256 base, uint256 exponent) external pure returns (uint256) {
        return LogExpMath.pow(base, exponent);
    }

    function given(
        uint256[2] calldata balances,
        uint256[2] calldata weights,
        uint256[2] calldata scales,
        uint256 fee,
        uint256 amount
    ) external pure returns (uint256) {
        uint256 paid = amount.sub(amount.mulUp(fee)) * scales[0];
        uint256 out = _calcOutGivenIn(
            balances[0] * scales[0], weights[0], balances[1] * scales[1], weights[1], paid
        );
        return out / scales[1];
    }

    function taken(
        uint256[2] calldata balances,
        uint256[2] calldata weights,
        uint256[2] calldata scales,
        uint256 fee,
        uint256 amount
    ) external pure returns (uint256) {
        uint256 paid = _calcInGivenOut(
            balances[0] * scales[0], weights[0], balances[1] * scales[1], weights[1], amount * scales[1]
        );
        return Math.divUp(paid, scales[0]).divUp(FixedPoint.ONE.sub(fee));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// A price feed's aggregator that anybody may set; it announces an answer as Chainlink's do.
contract Feed {
    uint8 public constant decimals = 8;
    int256 public latestAnswer;
    uint256 public latestRound;
    uint256 public latestTimestamp;

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);
    event NewRound(uint256 indexed roundId, address indexed startedBy, uint256 startedAt);

    function set(int256 answer) external {
        latestRound += 1;
        latestAnswer = answer;
        latestTimestamp = block.timestamp;
        emit NewRound(latestRound, msg.sender, block.timestamp);
        emit AnswerUpdated(answer, latestRound, block.timestamp);
    }
}

/// What readers of a price know: the proxy in front of an aggregator.
contract FeedProxy {
    Feed public aggregator;

    constructor(Feed aggregator_) {
        aggregator = aggregator_;
    }

    function decimals() external view returns (uint8) {
        return aggregator.decimals();
    }

    function latestAnswer() external view returns (int256) {
        return aggregator.latestAnswer();
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        uint80 round = uint80(aggregator.latestRound());
        uint256 at = aggregator.latestTimestamp();
        return (round, aggregator.latestAnswer(), at, at, round);
    }
}

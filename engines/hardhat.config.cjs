// The second implementation of a chain that the tests run on.
module.exports = { solidity: '0.8.28', networks: { hardhat: { chainId: 31337, hardfork: 'osaka', mining: { auto: true, interval: 0 } } } }

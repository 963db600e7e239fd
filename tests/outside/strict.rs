//! The contract is strict where a slip changes the meaning.

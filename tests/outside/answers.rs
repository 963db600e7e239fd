//! Answers of TPNS that are easy to misread.

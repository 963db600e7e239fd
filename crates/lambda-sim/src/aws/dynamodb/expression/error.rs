//! What can be wrong with an expression, worded as DynamoDB words it.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::aws::dynamodb) enum ExpressionError {
    #[error("The expression can not be empty;")]
    Empty,
    #[error("Expression size has exceeded the maximum allowed size; expression size: {0}")]
    TooLong(usize),
    #[error("The expression contains too many operators; operator count: {0}")]
    TooManyOperators(usize),
    #[error("Syntax error; token: \"{token}\", near: \"{near}\"")]
    Syntax { token: String, near: String },
    #[error("lambda-sim doesn't model {0}")]
    NotModelled(String),

    #[error("Attribute name is a reserved keyword; reserved keyword: {0}")]
    Reserved(String),
    #[error("An expression attribute name used in the document path is not defined; attribute name: {0}")]
    UndefinedName(String),
    #[error("An expression attribute value used in expression is not defined; attribute value: {0}")]
    UndefinedValue(String),

    #[error("The \"{0}\" section can only be used once in an update expression;")]
    SectionTwice(&'static str),
    #[error(
        "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [{0}], path two: \
         [{0}]"
    )]
    PathTwice(String),

    #[error("The expression has redundant parentheses;")]
    RedundantParentheses,
    #[error("Invalid function name; function: {0}")]
    UnknownFunction(String),
    #[error("The function is not allowed to be used this way in an expression; function: {0}")]
    MisplacedFunction(String),
    #[error(
        "Incorrect number of operands for operator or function; operator or function: {function}, number of operands: \
         {count}"
    )]
    OperandCount { function: String, count: usize },
    #[error("Operator or function requires a document path; operator or function: {0}")]
    NoPath(String),
    #[error(
        "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {operand}"
    )]
    OperandType { operator: &'static str, operand: &'static str },
    #[error(
        "The first operand must be distinct from the remaining operands for this operator or function; operator: \
         {operator}, first operand: [{path}]"
    )]
    SameOperands { operator: &'static str, path: String },
}

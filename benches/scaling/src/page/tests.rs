use super::*;

#[test]
fn a_table_replaces_what_is_between_its_marks_and_nothing_else() {
    let table = Table { name: "b", text: "new\n".into() };
    let page = "1\n<!-- table: a -->\nold\n<!-- until here -->\n2\n<!-- table: b -->\nold\n<!-- until here -->\n3\n";
    let right = "1\n<!-- table: a -->\nold\n<!-- until here -->\n2\n<!-- table: b -->\nnew\n<!-- until here -->\n3\n";
    assert_eq!(with_table(page, &table).unwrap(), right);
    assert!(with_table("1\n<!-- table: a -->\n<!-- until here -->\n", &table).is_err());
    assert!(with_table("<!-- table: b -->\nold\n", &table).is_err());
}

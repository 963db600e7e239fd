//! Writes. Each has a condition, so that it may be carried out twice, and only the first time counts.

use super::{
    OpenTable,
    dynamodb::{self, Update},
    row::{self, ACCEPTED, ACCOUNTS, CONFIRMED, DELETED, DeviceRow, EXPIRES, Exposed, OWNER, REMEMBERED, Register},
    value::{AttributeValue, Attributes},
    version_text,
};
use crate::{
    aws::{self, ProvideErrorMetadata, RequestError, Tries},
    event::{Millis, Version},
    ledger::RowError,
};

/// The most registers of a write: a condition may have 4 KB, and a register takes about 60 bytes of it.
pub(super) const REGISTERS: usize = 50;
/// The most attributes that are replaced in a write, of which each has two conditions.
pub(super) const HIDDEN: usize = 40;
/// The least number of superseded logouts that are removed from a row at a time; fewer are not worth a write.
const DEAD_A_SWEEP: usize = 20;

impl OpenTable<'_> {
    /// Raises the registers if each of them grows by it; returns the row as it then is, raised or not.
    pub(super) async fn raise(&self, key: &str, registers: &[Register]) -> Result<Attributes, RowError> {
        let error = match self.send(|| self.raising(key, registers).send()).await {
            Ok(answer) => return self.written(answer),
            Err(error) if is_refusal(&error) => return self.row_of_refusal(key, &error).await,
            Err(error) => error,
        };
        // DynamoDB has one code for everything that is wrong with a write, so the row itself has to be read.
        if error.code() == Some("ValidationException") && self.is_full(key, registers).await {
            self.log_once(format_args!(
                "LEDGER_TABLE: the row of a device has reached the 400 KB of a DynamoDB item; delete the row: the event's \
                 next delivery writes it again"
            ));
            return Err(RowError::RowFull);
        }
        Err(self.row_error(&error))
    }

    /// The row after this write, carried out or refused by its condition.
    pub(super) async fn row_after<'w>(
        &self,
        key: &str,
        write: impl Fn() -> Update<'w>,
    ) -> Result<Attributes, RowError> {
        match self.send(|| write().send()).await {
            Ok(answer) => self.written(answer),
            Err(error) if is_refusal(&error) => self.row_of_refusal(key, &error).await,
            Err(error) => Err(self.row_error(&error)),
        }
    }

    /// The row after a write.
    fn written(&self, row: Option<Attributes>) -> Result<Attributes, RowError> {
        // A row that has just been written has attributes.
        row.ok_or_else(|| self.log(RowError::Unreachable, "an answer without the row"))
    }

    /// The row that did not meet a condition. It is read if the store does not return it.
    async fn row_of_refusal(&self, key: &str, error: &RequestError) -> Result<Attributes, RowError> {
        match dynamodb::row_of_refusal(error) {
            Some(row) => Ok(row),
            None => self.read_row(key).await,
        }
    }

    pub(super) fn update<'a>(&'a self, key: &'a str) -> Update<'a> {
        self.table.dynamo.update(key)
    }

    fn raising<'a>(&'a self, key: &'a str, registers: &'a [Register]) -> Update<'a> {
        let mut update = self
            .update(key)
            .returning_the_row()
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":expires", AttributeValue::N(self.expires_at.to_string()));
        let mut set = "SET #expires = :expires".to_owned();
        let mut conditions = Vec::with_capacity(registers.len());
        let keeps_confirmed = registers.iter().all(Register::keeps_confirmed);
        for (n, register) in registers.iter().enumerate() {
            let (name, version) = match register {
                Register::Owner { version, accounts, had, .. } => {
                    update = update
                        .expression_attribute_names("#accounts", ACCOUNTS)
                        .expression_attribute_names("#remembered", REMEMBERED)
                        .expression_attribute_values(":accounts", AttributeValue::S(accounts.clone()));
                    set += &format!(", #accounts = :accounts, #remembered = :r{n}");
                    for (account, name) in had.iter().enumerate() {
                        update = update.expression_attribute_names(format!("#h{account}"), name);
                        set += &format!(", #h{account} = :r{n}");
                    }
                    (OWNER, version)
                }
                Register::Version { name, version } => (name.as_str(), version),
            };
            update = update
                .expression_attribute_names(format!("#r{n}"), name)
                .expression_attribute_values(format!(":r{n}"), AttributeValue::S(version.clone()));
            set += &format!(", #r{n} = :r{n}");
            conditions.push(match register {
                // Each delivery that sends the deletion to TPNS makes its row younger: checks wait for the call.
                Register::Version { name, .. } if name == DELETED => {
                    update = update.expression_attribute_names("#accepted", ACCEPTED);
                    format!(
                        "(attribute_not_exists(#r{n}) OR #r{n} < :r{n} OR (#r{n} = :r{n} AND \
                         (attribute_not_exists(#accepted) OR #accepted < :r{n})))"
                    )
                }
                Register::Version { .. } => format!("(attribute_not_exists(#r{n}) OR #r{n} < :r{n})"),
                Register::Owner { replaced: None, .. } if keeps_confirmed => format!(
                    "(attribute_not_exists(#r{n}) OR (#remembered = #r{n} AND #r{n} < :r{n} AND \
                     (attribute_not_exists(#confirmed) OR #accounts = :accounts)))"
                ),
                Register::Owner { replaced: None, .. } => {
                    format!("(attribute_not_exists(#r{n}) OR (#remembered = #r{n} AND #r{n} < :r{n}))")
                }
                // It is the owner that was read, and the lesser one.
                Register::Owner { replaced: Some((version, accounts)), .. } => {
                    update = update
                        .expression_attribute_values(":replaced", AttributeValue::S(version.clone()))
                        .expression_attribute_values(":its_accounts", AttributeValue::S(accounts.clone()));
                    format!("(#r{n} = :replaced AND #accounts = :its_accounts)")
                }
            });
        }
        if registers.iter().any(Register::is_of_a_device) {
            update = update.expression_attribute_names("#confirmed", CONFIRMED);
            if !keeps_confirmed {
                set += " REMOVE #confirmed";
            }
        }
        update.update_expression(set).condition_expression(conditions.join(" AND "))
    }

    /// Replaces attributes that name accounts in clear, and returns the row as it then is, also if one of them has
    /// changed since.
    pub(super) async fn hide(&self, key: &str, exposed: &[Exposed]) -> Result<Attributes, RowError> {
        self.row_after(key, || self.hiding(key, exposed)).await
    }

    fn hiding<'a>(&'a self, key: &'a str, exposed: &'a [Exposed]) -> Update<'a> {
        let mut update = self.update(key).returning_the_row();
        let (mut set, mut remove, mut conditions) = (Vec::new(), Vec::new(), Vec::new());
        for (n, exposed) in exposed.iter().enumerate() {
            let (name, value) = match exposed {
                Exposed::Accounts { clear, sealed } => {
                    update = update.expression_attribute_values(format!(":s{n}"), AttributeValue::S(sealed.clone()));
                    set.push(format!("#c{n} = :s{n}"));
                    (ACCOUNTS, clear)
                }
                Exposed::Name { clear, version, sealed } => {
                    remove.push(format!("#c{n}"));
                    if let Some(sealed) = sealed {
                        update = update.expression_attribute_names(format!("#s{n}"), sealed);
                        set.push(format!("#s{n} = :c{n}"));
                        conditions.push(format!("(attribute_not_exists(#s{n}) OR #s{n} < :c{n})"));
                    }
                    (clear.as_str(), version)
                }
            };
            update = update
                .expression_attribute_names(format!("#c{n}"), name)
                .expression_attribute_values(format!(":c{n}"), AttributeValue::S(value.clone()));
            conditions.push(format!("#c{n} = :c{n}"));
        }
        let clause = |word: &str, parts: &[String]| match parts {
            [] => String::new(),
            parts => format!("{word} {} ", parts.join(", ")),
        };
        let expression = clause("SET", &set) + &clause("REMOVE", &remove);
        update.update_expression(expression.trim_end()).condition_expression(conditions.join(" AND "))
    }

    /// Confirms the owner of this version, if there is one, and removes these attributes, of a row that still expires
    /// then, which is one that has not changed.
    pub(super) fn confirming<'a>(
        &'a self,
        key: &'a str,
        expires: Millis,
        owner: Option<&Version>,
        attributes: &'a [String],
    ) -> Update<'a> {
        let mut update = self
            .update(key)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":expires", AttributeValue::N(expires.to_string()));
        let (mut expression, mut condition) = (String::new(), "#expires = :expires".to_owned());
        if let Some(owner) = owner {
            update = update
                .expression_attribute_names("#owner", OWNER)
                .expression_attribute_names("#confirmed", CONFIRMED)
                .expression_attribute_values(":owner", AttributeValue::S(version_text::text(owner)));
            expression += "SET #confirmed = :owner ";
            condition += " AND #owner = :owner";
        }
        let mut names = Vec::with_capacity(attributes.len());
        for (n, attribute) in attributes.iter().enumerate() {
            update = update.expression_attribute_names(format!("#h{n}"), attribute);
            names.push(format!("#h{n}"));
        }
        if !names.is_empty() {
            expression += &format!("REMOVE {}", names.join(", "));
        }
        update.update_expression(expression.trim_end()).condition_expression(condition)
    }

    pub(super) fn accepting<'a>(&'a self, key: &'a str, version: &Version) -> Update<'a> {
        self.update(key)
            .update_expression("SET #accepted = :version")
            .condition_expression("#deleted = :version")
            .expression_attribute_names("#accepted", ACCEPTED)
            .expression_attribute_names("#deleted", DELETED)
            .expression_attribute_values(":version", AttributeValue::S(version_text::text(version)))
    }

    /// Whether the row has no space for these registers.
    async fn is_full(&self, key: &str, registers: &[Register]) -> bool {
        let Ok((rows, _)) = self.read_some(&[key.to_owned()]).await else { return false };
        let size = rows.iter().map(|(_, row)| row::size(row)).sum::<usize>()
            + registers.iter().map(Register::size).sum::<usize>();
        size > row::LARGEST
    }

    /// Removes superseded logouts from a row, once there are enough of them, so that a device that many people sign in
    /// on does not outgrow a row. No event depends on its success.
    pub(super) async fn sweep(&self, key: &str, row: &DeviceRow) {
        if row.dead.len() < DEAD_A_SWEEP {
            return;
        }
        // Tried once: the next event of the device does it as well.
        _ = aws::send(Tries::one(self.until), || self.sweeping(key, row).send()).await;
    }

    fn sweeping<'a>(&'a self, key: &'a str, row: &'a DeviceRow) -> Update<'a> {
        let dead = row.dead.iter().take(REGISTERS).enumerate();
        let (mut update, mut names, mut conditions) = (self.update(key), Vec::new(), Vec::new());
        for (n, (name, version)) in dead {
            update = update
                .expression_attribute_names(format!("#r{n}"), name)
                .expression_attribute_values(format!(":r{n}"), AttributeValue::S(version.clone()));
            names.push(format!("#r{n}"));
            conditions.push(format!("#r{n} = :r{n}"));
        }
        update.update_expression(format!("REMOVE {}", names.join(", "))).condition_expression(conditions.join(" AND "))
    }
}

/// Whether the condition of the write failed.
pub(super) fn is_refusal(error: &RequestError) -> bool {
    error.code() == Some("ConditionalCheckFailedException")
}

//! Faults to and from the JSON of `/_sim/faults`.

use serde_json::{Value, json};

use super::{
    Chance, Fault,
    error::FaultError,
    fields::Fields,
    kind::FaultKind,
    scope::{Api, Scope},
};
use crate::codes::RetCode;

impl Fault {
    /// Reads one fault: `{"fault":"status","status":503,"times":3}`; the README has the table.
    ///
    /// # Errors
    /// Names the field and what it may be.
    pub fn from_json(value: Value) -> Result<Self, FaultError> {
        let mut fields = Fields::of(value)?;
        let kind = read_kind(&mut fields)?;
        let scope = read_scope(&mut fields)?;
        let skip = fields.whole("skip")?.unwrap_or(0);
        let chance = read_chance(&mut fields)?;
        // Null means "no limit", while an omitted field means once.
        let no_limit = fields.is_null("times") || chance.is_some();
        let times = fields.read("times", "a whole number from 1 up, or null for no limit", |value| {
            value.as_u64().filter(|&times| times > 0)
        })?;
        let apply = fields.boolean("apply")?;
        fields.finish()?;
        if kind == (FaultKind::Effect { late_ms: 0 }) && apply != Some(false) {
            return Err(FaultError::Missing { field: "late_ms", wanted: EFFECT.to_owned() });
        }
        if matches!(kind, FaultKind::Effect { .. }) && scope.api == Api::Query {
            let wanted = "batchoperate: a query has no effect".to_owned();
            return Err(FaultError::Field { field: "api", wanted, got: r#""query""#.to_owned() });
        }
        Ok(Self {
            apply: apply.unwrap_or_else(|| kind.applies_by_default()),
            kind,
            scope,
            skip,
            times: times.or(if no_limit { None } else { Some(1) }),
            chance,
        })
    }

    /// The fault as `/_sim/faults` shows it; fields that are not set are omitted. `times` null means no limit.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut fault = match &self.kind {
            FaultKind::Status { status, retry_after, body } => {
                json!({"status": status, "retry_after": retry_after, "body": body})
            }
            FaultKind::RetCode { ret_code, err_msg, result } => {
                json!({"ret_code": ret_code, "err_msg": err_msg, "result": result})
            }
            FaultKind::ItemCode { code } => json!({"code": code}),
            FaultKind::Delay { ms, late } => json!({"ms": ms, "late": late}),
            FaultKind::Effect { late_ms } => json!({"late_ms": late_ms}),
            FaultKind::Malformed { body } => json!({"body": body}),
            FaultKind::ResultLength { delta, ret_code } => {
                json!({"delta": delta, "ret_code": ret_code})
            }
            FaultKind::Hang | FaultKind::Reset | FaultKind::Truncated | FaultKind::OkWords | FaultKind::Disconnect => {
                json!({})
            }
        };
        fault["app"] = json!(self.scope.app);
        fault["operator_type"] = json!(self.scope.operator_type);
        fault["token"] = json!(self.scope.token);
        fault["account"] = json!(self.scope.account);
        fault["account_type"] = json!(self.scope.account_type);
        fault["probability"] = json!(self.chance.map(|chance| chance.probability));
        fault["seed"] = json!(self.chance.map(|chance| chance.seed));
        if let Value::Object(fields) = &mut fault {
            fields.retain(|_, value| !value.is_null());
        }
        fault["fault"] = json!(self.kind.name());
        fault["api"] = json!(self.scope.api.name());
        fault["skip"] = json!(self.skip);
        fault["times"] = json!(self.times);
        fault["apply"] = json!(self.apply);
        fault
    }
}

const MILLISECONDS: &str = "milliseconds, from 0 to 86400000";
const EFFECT: &str = r#"milliseconds from 1 up; or "apply":false, for an effect that is lost"#;

fn milliseconds(value: &Value) -> Option<u64> {
    value.as_u64().filter(|&ms| ms <= 86_400_000)
}

fn read_kind(fields: &mut Fields) -> Result<FaultKind, FaultError> {
    let names = || format!("one of {}", FaultKind::NAMES.join(", "));
    let name = required("fault", &names(), fields.text("fault")?)?;
    Ok(match name.as_str() {
        "status" => {
            let wanted = "an HTTP status from 200 to 599";
            let status = fields.read("status", wanted, |value| {
                let status = u16::try_from(value.as_u64()?).ok()?;
                (200..=599).contains(&status).then_some(status)
            })?;
            FaultKind::Status {
                status: required("status", wanted, status)?,
                retry_after: read_retry_after(fields)?,
                body: fields.text("body")?,
            }
        }
        "ret_code" => FaultKind::RetCode {
            ret_code: RetCode(required("ret_code", "a whole number such as 1008004", fields.signed("ret_code")?)?),
            err_msg: fields.text("err_msg")?,
            result: fields.texts("result")?,
        },
        "item_code" => {
            let wanted = "a whole number other than 0, such as 1008006";
            let code = fields.read("code", wanted, |value| value.as_i64().filter(|&code| code != 0))?;
            FaultKind::ItemCode { code: RetCode(required("code", wanted, code)?) }
        }
        "delay" => {
            let ms = fields.read("ms", MILLISECONDS, milliseconds)?;
            FaultKind::Delay { ms: required("ms", MILLISECONDS, ms)?, late: fields.boolean("late")?.unwrap_or(false) }
        }
        "effect" => {
            FaultKind::Effect { late_ms: fields.read("late_ms", MILLISECONDS, milliseconds)?.unwrap_or_default() }
        }
        "hang" => FaultKind::Hang,
        "reset" => FaultKind::Reset,
        "truncated" => FaultKind::Truncated,
        "malformed" => FaultKind::Malformed { body: fields.text("body")? },
        "result_length" => {
            let wanted = "a whole number other than 0, such as -1";
            let delta = fields.read("delta", wanted, |value| value.as_i64().filter(|&delta| delta != 0))?;
            FaultKind::ResultLength {
                delta: required("delta", wanted, delta)?,
                ret_code: fields.signed("ret_code")?.map_or(RetCode::PARTLY_ERROR, RetCode),
            }
        }
        "ok_words" => FaultKind::OkWords,
        "disconnect" => FaultKind::Disconnect,
        _ => {
            return Err(FaultError::Field { field: "fault", wanted: names(), got: format!("{name:?}") });
        }
    })
}

fn read_scope(fields: &mut Fields) -> Result<Scope, FaultError> {
    let api = fields.read("api", "batchoperate or query", |value| match value.as_str()? {
        "batchoperate" => Some(Api::BatchOperate),
        "query" => Some(Api::Query),
        _ => None,
    })?;
    let scope = Scope {
        api: api.unwrap_or_default(),
        app: fields.text("app")?,
        operator_type: fields
            .read("operator_type", "1 to 5", |value| value.as_i64().filter(|kind| (1..=5).contains(kind)))?,
        token: fields.text("token")?,
        account: fields.text("account")?,
        account_type: fields
            .read("account_type", "a whole number from 0 up", |value| u32::try_from(value.as_u64()?).ok())?,
    };
    if scope.account_type.is_some() {
        required("account", "the account that account_type restricts", scope.account.as_ref())?;
    }
    Ok(scope)
}

fn read_chance(fields: &mut Fields) -> Result<Option<Chance>, FaultError> {
    let probability = fields.read("probability", "a number from 0 to 1", |value| {
        value.as_f64().filter(|share| (0.0..=1.0).contains(share))
    })?;
    let seed = fields.whole("seed")?.unwrap_or(0);
    Ok(probability.map(|probability| Chance { probability, seed }))
}

fn read_retry_after(fields: &mut Fields) -> Result<Option<String>, FaultError> {
    let wanted = "seconds as a whole number, or an HTTP date as a string";
    fields.read("retry_after", wanted, |value| match value {
        Value::Number(seconds) => seconds.as_u64().map(|seconds| seconds.to_string()),
        // Any text that a header can carry: a client must cope with nonsense here, too.
        Value::String(text) => text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ').then(|| text.clone()),
        _ => None,
    })
}

fn required<T>(field: &'static str, wanted: &str, value: Option<T>) -> Result<T, FaultError> {
    value.ok_or_else(|| FaultError::Missing { field, wanted: wanted.to_owned() })
}

#[cfg(test)]
mod tests;

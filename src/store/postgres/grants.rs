//! What a role must be allowed, and what it need not be.
//!
//! Who makes the tables owns them. A role that may only use them works, but makes no
//! months (`partitions.rs`). What is missing is found out at the start and named as
//! the GRANT that mends it. It refuses to know records.

use tokio_postgres::{Client, Error};

/// What a role needs of each table.
const NEEDED: [(&str, &[&str]); 4] = [
    ("dialback_record", &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    ("dialback_entry", &["SELECT", "INSERT", "DELETE"]),
    ("dialback_probe", &["SELECT", "INSERT", "UPDATE"]),
    ("dialback_schema", &["SELECT"]),
];

/// What a role is, here.
struct Role {
    name: String,
    schema: Option<String>,
    may_create: bool,
    has_tables: bool,
}

/// Looks whether the tables can be used, or made where there are none. The inner error
/// says what to grant.
pub(super) async fn enough(client: &Client) -> Result<Result<(), String>, Error> {
    let Role { name, schema, may_create, has_tables } = role(client).await?;
    let Some(schema) = schema else {
        let why = "no schema of the search_path is there, or may be used: CREATE SCHEMA, GRANT USAGE on it, or \
            name another with options=-c%20search_path%3DSCHEMA";
        return Ok(Err(why.to_owned()));
    };
    if !has_tables {
        return Ok(if may_create { Ok(()) } else { Err(makes_none(&name, &schema)) });
    }
    let mut missing = Vec::new();
    for (table, rights) in NEEDED {
        for right in rights {
            const HAS: &str = "SELECT coalesce(has_table_privilege(to_regclass($1::text), $2), false)";
            if !client.query_one(HAS, &[&table, right]).await?.try_get::<_, bool>(0)? {
                missing.push(format!("{right} on {table}"));
            }
        }
    }
    if missing.is_empty() {
        return Ok(Ok(()));
    }
    let missing = missing.join(", ");
    Ok(Err(format!("the role {name} lacks {missing}: {}", grants(&name, &schema))))
}

fn makes_none(role: &str, schema: &str) -> String {
    format!(
        "there are no tables that the role {role} can see, and it may make none: GRANT USAGE, CREATE ON SCHEMA \
         {schema} TO {role}; or start once as a role that may, and then {}",
        grants(role, schema)
    )
}

/// Says in the log where the role makes no months.
pub(super) async fn for_months(client: &Client) -> Result<(), Error> {
    let Role { name, may_create, .. } = role(client).await?;
    const OWNS: &str =
        "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'dialback_entry'::regclass";
    let owns: bool = client.query_one(OWNS, &[]).await?.try_get(0)?;
    if !(owns && may_create) {
        tracing::warn!(
            role = name,
            "the role makes no tables for coming months, whose lines go to the default table: let one that owns \
             the tables run `dialback store compact` every month or two, or GRANT that role to this one"
        );
    }
    Ok(())
}

async fn role(client: &Client) -> Result<Role, Error> {
    const ROLE: &str = "\
        SELECT quote_ident(current_user), quote_ident(current_schema()),
          coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
          to_regclass('dialback_schema') IS NOT NULL";
    let row = client.query_one(ROLE, &[]).await?;
    Ok(Role {
        name: row.try_get(0)?,
        schema: row.try_get(1)?,
        may_create: row.try_get(2)?,
        has_tables: row.try_get(3)?,
    })
}

/// All that a role needs that makes no tables.
fn grants(role: &str, schema: &str) -> String {
    format!(
        "GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT, INSERT, UPDATE, DELETE ON dialback_record, \
         dialback_entry, dialback_probe TO {role}; GRANT SELECT ON dialback_schema TO {role}"
    )
}

//! Small helpers for SQL that both databases understand.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{AnyConnection, Arguments, Row};

/// How many rows one INSERT carries at most; the databases take some 32,000 and 65,000 parameters.
const ROWS: usize = 1_000;
/// How many pairs one SELECT asks for at most; SQLite takes no expression of more than 1,000 levels.
const PAIRS: usize = 128;
/// Statements up to this many rows are kept prepared.
const KEPT_ROWS: usize = 4;

/// A parameter.
pub(super) enum Param<'a> {
    /// BIGINT.
    Int(i64),
    /// TEXT.
    Text(&'a str),
    /// TEXT that may be NULL.
    Maybe(Option<&'a str>),
}

fn arguments<'a>(params: impl IntoIterator<Item = Param<'a>>) -> Result<AnyArguments<'a>, sqlx::Error> {
    let mut arguments = AnyArguments::default();
    for param in params {
        match param {
            Param::Int(value) => arguments.add(value),
            Param::Text(value) => arguments.add(value),
            Param::Maybe(value) => arguments.add(value),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// `INSERT INTO {into} VALUES ... {then}` with as many rows as there are.
pub(super) async fn insert<'a, const COLUMNS: usize>(
    connection: &mut AnyConnection,
    into: &str,
    rows: Vec<[Param<'a>; COLUMNS]>,
    then: &str,
) -> Result<(), sqlx::Error> {
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<_> = rows.by_ref().take(ROWS).collect();
        let count = chunk.len();
        let marks: Vec<_> = (0..count).map(|row| format!("({})", marks(row * COLUMNS, COLUMNS))).collect();
        let sql = format!("INSERT INTO {into} VALUES {} {then}", marks.join(","));
        sqlx::query_with(&sql, arguments(chunk.into_iter().flatten())?)
            .persistent(count <= KEPT_ROWS)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// `INSERT INTO {into} VALUES ...` with rows of so many columns, all in one statement.
pub(super) async fn insert_rows<'a>(
    connection: &mut AnyConnection,
    into: &str,
    columns: usize,
    params: impl ExactSizeIterator<Item = Param<'a>>,
) -> Result<(), sqlx::Error> {
    let rows = params.len() / columns.max(1);
    let marks: Vec<_> = (0..rows).map(|row| format!("({})", marks(row * columns, columns))).collect();
    let sql = format!("INSERT INTO {into} VALUES {}", marks.join(","));
    sqlx::query_with(&sql, arguments(params)?).persistent(false).execute(connection).await?;
    Ok(())
}

/// Runs a SELECT or DELETE that ends in a column's name, for the rows in which it is one of these values.
pub(super) async fn query_in(
    connection: &mut AnyConnection,
    statement: &str,
    mut values: Vec<&str>,
) -> Result<Vec<AnyRow>, sqlx::Error> {
    values.sort_unstable();
    values.dedup();
    let mut found = Vec::new();
    for chunk in values.chunks(ROWS) {
        let values = filled(chunk);
        let sql = format!("{statement} IN ({})", marks(0, values.len()));
        found.extend(sqlx::query_with(&sql, arguments(values.map(Param::Text))?).fetch_all(&mut *connection).await?);
    }
    Ok(found)
}

/// Runs a SELECT that ends in WHERE, for the rows in which two columns are one of these pairs. Row by row of the list, as
/// both databases then go by an index that begins with both columns.
pub(super) async fn query_pairs(
    connection: &mut AnyConnection,
    statement: &str,
    columns: [&str; 2],
    mut pairs: Vec<[&str; 2]>,
) -> Result<Vec<AnyRow>, sqlx::Error> {
    pairs.sort_unstable();
    pairs.dedup();
    let [one, other] = columns;
    let mut found = Vec::new();
    for chunk in pairs.chunks(PAIRS) {
        let pairs = filled(chunk);
        let terms: Vec<_> =
            (0..pairs.len()).map(|at| format!("({one} = ${} AND {other} = ${})", 2 * at + 1, 2 * at + 2)).collect();
        let sql = format!("{statement} {}", terms.join(" OR "));
        let arguments = arguments(pairs.flatten().map(Param::Text))?;
        found.extend(sqlx::query_with(&sql, arguments).fetch_all(&mut *connection).await?);
    }
    Ok(found)
}

/// The values, filled up to a power of two with the last of them, so that few statements have to be prepared.
fn filled<T: Copy>(values: &[T]) -> impl ExactSizeIterator<Item = T> {
    (0..values.len().next_power_of_two()).map(move |at| values[at.min(values.len() - 1)])
}

/// Runs a statement.
pub(super) async fn execute<'a, const PARAMS: usize>(
    connection: &mut AnyConnection,
    sql: &str,
    params: [Param<'a>; PARAMS],
) -> Result<u64, sqlx::Error> {
    Ok(sqlx::query_with(sql, arguments(params)?).execute(connection).await?.rows_affected())
}

/// A column of text.
pub(super) fn text(row: &AnyRow, column: usize) -> Result<String, sqlx::Error> {
    row.try_get(column)
}

/// A column of integers.
pub(super) fn int(row: &AnyRow, column: usize) -> Result<i64, sqlx::Error> {
    row.try_get(column)
}

fn marks(before: usize, count: usize) -> String {
    let marks: Vec<_> = (before + 1..=before + count).map(|mark| format!("${mark}")).collect();
    marks.join(",")
}

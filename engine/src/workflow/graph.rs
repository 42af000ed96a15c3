//! Mermaid output of a definition.

use std::fmt::Write as _;

use crate::core::{Role, TaskKind};
use crate::state::State;
use crate::workflow::Workflow;

impl<S: State> Workflow<S> {
    /// The definition as a Mermaid flowchart. Exits are round, compensatable tasks have a double
    /// frame, stepped tasks are slanted, routers are diamonds, timers are hexagons, polling tasks are trapezoids.
    /// Only declared edges are drawn.
    ///
    /// ```
    /// use crashpoint::{Ctx, State, TaskError, Workflow};
    ///
    /// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
    /// enum Mail { Send, Sent }
    ///
    /// async fn send(_ctx: Ctx) -> Result<Mail, TaskError> {
    ///     Ok(Mail::Sent)
    /// }
    ///
    /// let workflow = Workflow::builder("mail", 1)
    ///     .task(Mail::Send, "send", send)
    ///     .to([Mail::Sent])
    ///     .exit(Mail::Sent)
    ///     .build()?;
    /// assert_eq!(
    ///     workflow.to_mermaid(),
    ///     "flowchart TD\n    s0[\"Send: send\"]\n    s0 --> s1\n    s1([\"Sent\"])\n",
    /// );
    /// # Ok::<(), crashpoint::BuildError>(())
    /// ```
    pub fn to_mermaid(&self) -> String {
        let mut chart = String::from("flowchart TD\n");
        for (index, state) in self.definition().states.iter().enumerate() {
            let label = quoted(&state.label);
            let Role::Task(task) = &state.role else {
                _ = writeln!(chart, "    s{index}([\"{label}\"])");
                continue;
            };
            let (open, close) = match task.kind {
                TaskKind::Plain => ("[", "]"),
                TaskKind::Compensatable => ("[[", "]]"),
                TaskKind::Stepped => ("[/", "/]"),
                TaskKind::Router => ("{", "}"),
                TaskKind::Timer => ("{{", "}}"),
                TaskKind::Poll => ("[/", "\\]"),
            };
            _ = writeln!(
                chart,
                "    s{index}{open}\"{label}: {}\"{close}",
                quoted(&task.name)
            );
            for next in task.edges.iter().flatten() {
                _ = writeln!(chart, "    s{index} --> s{next}");
            }
        }
        chart
    }
}

/// Escapes `text` for a quoted Mermaid label.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for character in text.chars() {
        match character {
            '"' | '#' | '&' | '<' | '>' | '\\' => _ = write!(quoted, "#{};", u32::from(character)),
            control if control.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted
}

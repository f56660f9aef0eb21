//! Cofre, s3s-fs and, if one is named, another build of Cofre in turns.

use crate::contender::Contender;
use crate::crowd::{fill, make_bucket, together};
use crate::load::{Bodies, Share, small_key};
use crate::report::{self, Round, median};
use crate::workload::{Body, LARGE_BYTES, LARGE_KEYS, Listed, SMALL_BYTES, SMALL_KEYS, Workload};
use anyhow::{Context, Result, ensure};
use cofre_runtime::Clock;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Bodies that small objects share.
const SMALL_BODIES: u64 = 64;

/// What to measure.
#[derive(Debug)]
pub struct Plan {
    /// Only workloads whose name contains one of these; all if empty.
    pub only: Vec<String>,
    /// Another build of Cofre.
    pub beside: Option<PathBuf>,
    /// Seconds of a round.
    pub seconds: f64,
    /// Rounds.
    pub rounds: usize,
    /// Numbers of connections.
    pub connections: Vec<usize>,
    /// Keys that are there to list.
    pub listed: Listed,
}

impl Plan {
    fn workloads(&self) -> Vec<Workload> {
        let chosen =
            |workload: &Workload| self.only.is_empty() || self.only.iter().any(|o| workload.name().contains(o));
        Workload::ALL.into_iter().filter(chosen).collect()
    }
}

/// Runs the plan and prints a table.
pub fn run(plan: &Plan) -> Result<()> {
    let workloads = plan.workloads();
    ensure!(
        !workloads.is_empty(),
        "no workload is called so; there are {}",
        Workload::ALL.map(Workload::name).join(", ")
    );
    let bodies = Bodies {
        small: (0..SMALL_BODIES).map(|seed| Body::new(seed, SMALL_BYTES)).collect(),
        large: Body::new(SMALL_BODIES, LARGE_BYTES),
    };
    let mut contenders = vec![Contender::reference()?];
    contenders.extend(plan.beside.clone().map(Contender::beside).transpose()?);
    contenders.push(Contender::cofre()?);
    for contender in &contenders {
        prepare(contender, plan, &workloads, &bodies).with_context(|| format!("filling {}", contender.name))?;
    }
    println!("\n{} rounds of {} s for each line, in turns; medians", plan.rounds, plan.seconds);
    report::head();
    let mut number = 0;
    for workload in workloads {
        for connections in &plan.connections {
            let mut rounds: Vec<Vec<Round>> = contenders.iter().map(|_| Vec::new()).collect();
            for _ in 0..plan.rounds {
                number += 1;
                for (contender, rounds) in contenders.iter().zip(&mut rounds) {
                    rounds.push(round(contender, plan, workload, *connections, number, &bodies)?);
                }
            }
            show(&contenders, workload, *connections, &rounds)?;
        }
    }
    for contender in &contenders {
        let usage = contender.usage()?;
        let (now, most) = (report::mib(usage.rss_bytes), report::mib(usage.rss_bytes_max));
        println!("{:<7} RSS {now:.0} MiB, at most {most:.0} MiB", contender.name);
    }
    Ok(())
}

/// Shows one workload. Each rate stands beside that of the first contender, and that of Cofre beside the other build too.
fn show(contenders: &[Contender], workload: Workload, connections: usize, rounds: &[Vec<Round>]) -> Result<()> {
    let medians: Vec<Round> = rounds.iter().map(|rounds| median(rounds)).collect();
    for (index, contender) in contenders.iter().enumerate() {
        let before = medians[..index].iter().map(|other| medians[index].per_sec / other.per_sec);
        report::line(
            workload,
            connections,
            contender.name,
            &medians[index],
            &contender.usage()?,
            &before.collect::<Vec<_>>(),
        );
    }
    Ok(())
}

/// Puts all that the workloads will read.
fn prepare(contender: &Contender, plan: &Plan, workloads: &[Workload], bodies: &Bodies) -> Result<()> {
    let clock = Clock::system();
    make_bucket(contender)?;
    let small = |number: u64| &bodies.small[usize::try_from(number % SMALL_BODIES).unwrap_or(0)];
    fill(contender, 0, SMALL_KEYS, small_key, small)?;
    let lists = |workload: &&Workload| matches!(workload, Workload::List | Workload::ListFolders);
    if workloads.iter().any(|workload| lists(&workload)) {
        fill(contender, 0, plan.listed.keys, |index| plan.listed.key(index), small)?;
    }
    if workloads.contains(&Workload::GetLarge) {
        let most = plan.connections.iter().copied().max().unwrap_or(1) as u64;
        let key = |number: u64| format!("large/{}-{}", number / LARGE_KEYS, number % LARGE_KEYS);
        fill(contender, 0, most * LARGE_KEYS, key, |_| &bodies.large)?;
    }
    println!("{} is filled, in {:.0} s", contender.name, clock.elapsed().as_secs_f64());
    Ok(())
}

fn round(
    contender: &Contender,
    plan: &Plan,
    workload: Workload,
    connections: usize,
    number: u64,
    bodies: &Bodies,
) -> Result<Round> {
    // What one server has written and not synced must not be the other's burden.
    ensure!(Command::new("sync").status().context("sync")?.success(), "sync failed");
    let before = contender.usage()?;
    let seen = together(connections, |connection| {
        let time = Duration::from_secs_f64(plan.seconds);
        Share { contender, workload, bodies, listed: plan.listed, round: number, connection, time }.run()
    })?;
    Ok(Round::new(&seen, contender.usage()?.cpu_secs - before.cpu_secs))
}

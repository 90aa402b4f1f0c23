#!/bin/bash
# Training of one model by a process on each node of a Slurm job, which is resumed when the job is
# preempted or its time is over. The folder in which it is submitted is one that all nodes share.
#
#     sbatch docs/cluster/slurm.sh
#
# To change: the nodes, cores and time, the environment, and the options of the run.
#SBATCH --job-name=flowers
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
#SBATCH --time=04:00:00
#SBATCH --output=%x-%j.out
#SBATCH --open-mode=append
#SBATCH --requeue
# SIGTERM two minutes before the end: each process saves, and exits with 143.
#SBATCH --signal=TERM@120

set -u
source .venv/bin/activate

run=logs/folder/slurm-$SLURM_JOB_ID # a requeued job keeps its number
if [ -f "$run/config.json" ]; then
  options=(--resume "$run" --cache-dir cache)
else
  options=(--task folder --data photos --strategy workers --log-dir logs --run-name "slurm-$SLURM_JOB_ID" --cache-dir cache)
fi

# TensorFlow finds the processes of a run in TF_CONFIG: the nodes are the same for all, the index is not.
port=$((20000 + SLURM_JOB_ID % 10000))
nodes=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed "s/.*/\"&:$port\"/" | paste -sd, -)
export CLUSTER="{\"worker\": [$nodes]}"
srun bash -c '
  export TF_CONFIG="{\"cluster\": $CLUSTER, \"task\": {\"type\": \"worker\", \"index\": $SLURM_PROCID}}"
  exec python -m trainer.run "$@"' run "${options[@]}"
code=$?

# Slurm itself requeues a job that is preempted; one whose time is over has to ask for it.
if [ "$code" -eq 143 ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"

#!/bin/bash
# Train on several machines without SLURM: run this on each of them, with the same first machine.
#   FIRST=host-a NODES=2 DEVICES=4 scripts/train-torchrun.sh photos runs/big ffhq256
# Lost processes are started again from the last state, RESTARTS times.
set -eu
data=$1 run=$2 recipe=${3:-ffhq256}
shift 3 2>/dev/null || shift $#
launch=(torchrun --nnodes "${NODES:-1}" --nproc-per-node "${DEVICES:-1}" --max-restarts "${RESTARTS:-3}"
    --rdzv-id stylegenes --rdzv-backend c10d --rdzv-endpoint "${FIRST:-localhost}:${PORT:-29500}" -m stylegenes)
if [ -f "$run/config.json" ]; then
    exec "${launch[@]}" train "$run" "$@"
else
    exec "${launch[@]}" train "$data" --recipe "$recipe" --out "$run" "$@"
fi

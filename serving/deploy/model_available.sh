#!/usr/bin/env bash
# Ends with 0 if a model has a version that is available, else with 1.
#
#   model_available.sh MODEL [PORT] [HOST]
#
# For probes: TensorFlow Serving answers a model's status with 200 while it still loads, so
# the answer must be read. Its image has bash and grep, but neither curl nor Python.
set -uo pipefail

model=${1:?usage: model_available.sh MODEL [PORT] [HOST]}
port=${2:-8501}
host=${3:-127.0.0.1}

exec 3<>"/dev/tcp/${host}/${port}" || exit 1
printf 'GET /v1/models/%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' \
  "${model}" "${host}" >&3
timeout 5 cat <&3 | grep -qE '"state": ?"AVAILABLE"'

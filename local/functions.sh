# shellcheck shell=bash
# Sourced by the env.sh of a run, which sets the variables: the functions of docs/runbook.md on a local stack.

# With the endpoint as an option: AWS CLI 1 sends requests to SQS elsewhere without it.
aws() {
  local cli
  cli=$(type -P aws || type -P "$LOCAL_ROOT/.venv-deploy/bin/aws") || {
    echo 'aws: is not installed; run make tools' >&2
    return 127
  }
  "$cli" --endpoint-url "$AWS_ENDPOINT_URL" "$@"
}

output() {
  aws cloudformation describe-stacks --stack-name "$STACK" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}

depth() { # how many messages wait, and how many are in flight
  aws sqs get-queue-attributes --queue-url "$1" --output text \
    --query 'Attributes.[ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible]' \
    --attribute-names ApproximateNumberOfMessages ApproximateNumberOfMessagesNotVisible
}

insights() { # insights HOURS QUERY: asks the function's log
  (cd "$LOCAL_ROOT" && "$LOCAL_PYTHON" -m local.insights "$AWS_ENDPOINT_URL" "$LOG" "$1" "$2")
}

# shellcheck disable=SC2034 # for the reader's commands
TO=(--to "$QUEUE" ${UNBINDS:+--unbinds-to "$UNBINDS"})

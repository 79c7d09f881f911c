"""Lambda without containers: functions run in processes that speak the real Lambda Runtime API.

`layers` and `code` say which folders a function sees, `environment` what a worker process is given,
`entry` is the first code it runs; `runtime_api` and `worker` are our end of it, `pool` keeps
workers warm, `invoke` puts them behind moto's Lambda, `asynchronous` retries what nobody waits for.
"""

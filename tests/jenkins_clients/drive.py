"""Three clients of Jenkins that others wrote, each against the server named first: what they expect must hold.

usage: drive.py URL USER TOKEN PASSWORD SERVICE
"""

import sys
import time

import api4jenkins
import jenkins
from jenkinsapi.jenkins import Jenkins as JenkinsApi
from jenkinsapi.job import Job

url, user, token, password, service = sys.argv[1:]
path = f"shop/{service}/main"


def until(what, ask):
    """Waits for a condition."""
    for _ in range(600):
        answer = ask()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"waited for {what}")


def refused(what, call, *kinds):
    try:
        call()
    except kinds:
        return
    raise AssertionError(f"{what} was not refused")


def python_jenkins(secret):
    server = jenkins.Jenkins(url, user, secret, timeout=20)
    assert server.get_whoami()["fullName"] == user
    assert server.get_version() == "2.541", server.get_version()
    names = [job["fullname"] for job in server.get_all_jobs()]
    assert path in names, names
    info = server.get_job_info(path)
    assert info["buildable"] and info["property"][0]["parameterDefinitions"][0]["name"] == "VERSION"
    version = f"9.0.{len(secret)}"
    item = server.build_job(path, {"VERSION": version, "SUITE": "full", "delay": "0sec"})
    left = until("the build", lambda: server.get_queue_item(item).get("executable"))
    number = left["number"]
    until("its end", lambda: not server.get_build_info(path, number)["building"])
    build = server.get_build_info(path, number)
    assert build["result"] == "SUCCESS" and build["queueId"] == item, build
    assert "Finished: SUCCESS" in server.get_build_console_output(path, number)
    assert server.get_build_test_report(path, number)["failCount"] == 0
    stages = server.get_build_stages(path, number)["stages"]
    assert [stage["name"] for stage in stages] == ["Checkout", "Test", "Image", "Push"], stages
    server.disable_job(path)
    assert not server.get_job_info(path)["buildable"]
    refused("a disabled job", lambda: server.build_job(path, {"VERSION": "x"}), jenkins.JenkinsException, Exception)
    server.enable_job(path)
    item = server.build_job(path, {"VERSION": "9.9.9", "delay": "60sec"})
    server.cancel_queue(item)
    assert server.get_queue_item(item)["cancelled"]
    item = server.build_job(path, {"VERSION": "9.9.8", "delay": "0sec"})
    number = until("a build", lambda: server.get_queue_item(item).get("executable"))["number"]
    server.stop_build(path, number)
    assert server.get_build_info(path, number)["result"] == "ABORTED"
    wrong = jenkins.Jenkins(url, user, "wrong", timeout=20)
    refused("a wrong password", wrong.get_whoami, jenkins.JenkinsException)


def api4():
    server = api4jenkins.Jenkins(url, auth=(user, token))
    assert server.version == "2.541"
    job = server.get_job(path)
    assert type(job).__name__ == "WorkflowJob", job
    assert job.parent.full_name == f"shop/{service}"
    item = job.build(VERSION="8.0.1", SUITE="quick", delay="0sec")
    build = until("the build", item.get_build)
    lines = list(build.progressive_output())
    assert lines[-1] == "Finished: SUCCESS", lines
    assert build.result == "SUCCESS" and not build.building
    assert build.get_test_report().fail_count == 0
    parameters = {p.name: p.value for p in build.get_parameters()}
    assert parameters == {"VERSION": "8.0.1", "SUITE": "quick"}, parameters
    assert any("user" in str(cause) for cause in build.get_causes())
    assert build.get_pending_input() is None
    job.disable()
    assert not job.buildable
    job.enable()
    first = job.build(VERSION="8.0.2", delay="60sec")
    again = job.build(VERSION="8.0.2", delay="60sec")
    assert first.id == again.id, "equal ones are one"
    first.cancel()
    assert first.cancelled


def jenkins_api():
    server = JenkinsApi(url, username=user, password=password, lazy=True, use_crumb=True)
    assert server.version == "2.541"
    job = Job(f"{url.rstrip('/')}/job/shop/job/{service}/job/main", path, server)
    assert job.is_enabled() and job.has_params()
    item = job.invoke(build_params={"VERSION": "7.0.1", "SUITE": "full"}, quiet_period=0)
    item.block_until_complete(delay=1)
    build = item.get_build()
    assert build.is_good() and build.get_number() == job.get_last_buildnumber()
    assert build.get_params()["VERSION"] == "7.0.1"
    assert "Finished: SUCCESS" in build.get_console()


python_jenkins(token)
python_jenkins(password)
print("python-jenkins: ok")
api4()
print("api4jenkins: ok")
jenkins_api()
print("jenkinsapi: ok")

package io.github.loragraph.sagemaker.client;

import io.github.loragraph.cli.ResultOutput;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code lora-graph sagemaker stop}. */
@Command(
    name = "stop",
    header = "Stops jobs.",
    description = {
      "",
      "Training jobs and tuning jobs alike, a tuning job with its trainings. A training ends after"
          + " the batch that is at work, with a checkpoint where the job keeps them: within two"
          + " minutes, which 'wait' waits for. A job that is over is left as it is.",
      "",
      "The names of the jobs that stop are printed, a line each; how each stood is said on standard"
          + " error.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph sagemaker stop @jobs.txt",
      "  lora-graph sagemaker stop sst2-lora-r2-seed0-261127-041530-123",
      "",
      "Exit codes: 0 done, also where jobs were over; 1 a job could not be stopped (the others are),"
          + " or the service refused; 2 wrong usage; 130, 143 and 129 ended by Ctrl-C, SIGTERM and"
          + " SIGHUP (jobs that were not reached go on)."
    },
    mixinStandardHelpOptions = true)
final class StopCommand implements Callable<Integer> {
  @Mixin private NamedJobs jobs;

  @Mixin private ServiceOptions service;
  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    EachJob each = new EachJob(jobs.names(), output);
    List<String> stopping = new ArrayList<>();
    List<String> over = new ArrayList<>();
    try (TrainingJobs asked = service.open(Optional.empty())) {
      each.run(
          name -> {
            JobDescription job = asked.stop(name);
            boolean isOver = job.status().isOver();
            (isOver ? over : stopping).add(name);
            output.say(
                name
                    + (isOver
                        ? " is over: "
                        : job.status() == JobStatus.STOPPING
                            ? " stops already: "
                            : " stops; it was ")
                    + job.state());
          });
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("stopping", stopping);
    json.put("over", over);
    json.put("failed", each.failed());
    output.print(json, out -> stopping.forEach(out::println));
    each.requireAll("stopped");
    return 0;
  }
}

package io.github.loragraph.sagemaker.client;

import io.github.loragraph.cli.ResultOutput;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code lora-graph sagemaker wait}. */
@Command(
    name = "wait",
    header = "Waits until jobs are over.",
    description = {
      "",
      "Training jobs and tuning jobs alike. Each change is said on standard error, a line each, and"
          + " at the end how each job has ended on standard output. A service that takes no calls for"
          + " a while, or cannot be reached any more, is waited over.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph sagemaker wait @jobs.txt",
      "  lora-graph sagemaker wait sst2-lora-r2-seed0-261127-041530-123 --timeout 6h",
      "",
      "@FILE stands for the words in a file, as submit prints them.",
      "Exit codes: 0 all are completed; 1 a job failed, or the service refused; 2 wrong usage;"
          + " 4 a job was stopped; 5 the patience is over, and jobs are still at work, or unknown; the"
          + " first that is so counts; 130, 143 and 129 ended by Ctrl-C, SIGTERM and SIGHUP (the jobs go on)."
    },
    mixinStandardHelpOptions = true)
final class WaitCommand implements Callable<Integer> {
  @Mixin private NamedJobs jobs;

  @Mixin private PatienceOptions patience;
  @Mixin private ServiceOptions service;
  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    patience.poll();
    List<String> names = jobs.names();
    try (TrainingJobs asked = service.open(Optional.empty())) {
      List<JobDescription> ends = patience.await(asked, names, output);
      output.print(
          new JobTable(ends).json(),
          out -> {
            List<String[]> rows = new ArrayList<>();
            rows.add(new String[] {"job", "status", "reason"});
            for (JobDescription end : ends) {
              rows.add(new String[] {end.name(), end.state(), reason(end)});
            }
            JobTable.table(rows, Set.of()).printTo(out);
          });
      return PatienceOptions.exitCode(ends);
    }
  }

  private static String reason(JobDescription end) {
    return end.failure().orElse(end.status() == JobStatus.UNKNOWN ? end.message() : "");
  }
}

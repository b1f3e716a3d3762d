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

/** {@code lora-graph sagemaker compare}. */
@Command(
    name = "compare",
    header = "Compares jobs: what they differ by, and their figures.",
    description = {
      "",
      "A row for each job: the hyperparameters that are not the same for all, the status, the last"
          + " figures on held-out examples, the seconds of training and those that are paid for. A"
          + " tuning job stands for its trainings, the best first. Where completed jobs differ by their"
          + " seed alone, a second table has mean and standard deviation over the seeds of each"
          + " configuration. --json has all hyperparameters and figures.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph sagemaker compare @jobs.txt",
      "  lora-graph sagemaker compare @jobs.txt --json > jobs.json",
      "",
      "Exit codes: 0 done, whatever became of the jobs; 1 failed, or the service refused; 2 wrong"
          + " usage; 130, 143 and 129 ended by Ctrl-C, SIGTERM and SIGHUP."
    },
    mixinStandardHelpOptions = true)
final class CompareCommand implements Callable<Integer> {
  @Mixin private NamedJobs jobs;

  @Mixin private ServiceOptions service;
  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    List<String> names = jobs.names();
    try (TrainingJobs asked = service.open(Optional.empty())) {
      List<JobDescription> all = new ArrayList<>();
      for (String name : names) {
        JobDescription job = asked.describe(name);
        if (job.isTuning()) {
          output.log("%s: %s", name, job.state());
          all.addAll(asked.trainings(job));
        } else {
          all.add(job);
        }
      }
      JobTable table = new JobTable(all);
      Optional<SeedTable> seeds = SeedTable.of(all);
      Map<String, Object> json = new LinkedHashMap<>(table.json());
      seeds.ifPresent(summaries -> json.put("summaries", summaries.json()));
      output.print(
          json,
          out -> {
            table.printTo(out);
            seeds.ifPresent(
                summaries -> {
                  out.println();
                  summaries.printTo(out);
                });
          });
      return 0;
    }
  }
}

package io.github.loragraph.sagemaker.client;

import io.github.loragraph.cli.ResultOutput;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lora-graph sagemaker submit}. */
@Command(
    name = "submit",
    header = "Submits the trainings of an experiment or a search as jobs.",
    description = {
      "",
      "CONFIG is the file of an experiment or of a search with one more key, 'sagemaker': image,"
          + " role, output (s3://BUCKET/PREFIX) and instance-type; further ones, as spot, max-run"
          + " and channels, are in docs/sagemaker.md. Each run and seed of an experiment becomes a"
          + " training job; a search ('space') becomes one tuning job. Local data and models are"
          + " uploaded to OUTPUT/input, once for each content; s3:// addresses are taken as they"
          + " are.",
      "",
      "Everything that can be known here is checked before the first upload. The names of the jobs"
          + " are printed, a line each; what is uploaded is said on standard error.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph sagemaker submit experiment.yaml > jobs.txt",
      "  lora-graph sagemaker submit experiment.yaml --wait --timeout 6h",
      "  lora-graph sagemaker submit experiment.yaml --dry-run | while read -r job; do",
      "    aws sagemaker create-training-job --cli-input-json \"$job\"; done",
      "",
      "Of a search it is 'aws sagemaker create-hyper-parameter-tuning-job'. A dry run uploads"
          + " nothing: it says what belongs where.",
      "Exit codes: 0 done; 1 failed, or a service refused (one line says what and what to do); 2"
          + " wrong usage; with --wait also 1 a job failed, 4 a job was stopped, 5 the patience is"
          + " over; 130, 143 and 129 ended by Ctrl-C, SIGTERM and SIGHUP (the jobs go on)."
    },
    mixinStandardHelpOptions = true)
final class SubmitCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "CONFIG",
      description = "The YAML file of the experiment or the search.")
  private Path config;

  @Option(
      names = "--dry-run",
      description =
          "Print the requests as JSON, a line each, and call nothing: no credentials, no region.")
  private boolean dryRun;

  @Option(names = "--wait", description = "Wait for the jobs, as 'wait' does.")
  private boolean wait;

  @Mixin private PatienceOptions patience;
  @Mixin private ServiceOptions service;
  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    if (patience.isGiven() && !wait) {
      throw new ParameterException(spec.commandLine(), "--poll and --timeout are of --wait");
    }
    if (dryRun && wait) {
      throw new ParameterException(
          spec.commandLine(), "--dry-run submits nothing that --wait could wait for");
    }
    if (wait) {
      patience.poll();
    }
    ServiceOptions.silence();
    Submission submission = TrainingJobs.plan(config);
    submission.notes().forEach(output::say);
    if (dryRun) {
      return dryRun(submission);
    }
    try (TrainingJobs jobs = service.open(submission.region())) {
      PrintWriter out = spec.commandLine().getOut();
      Submitted submitted =
          jobs.submit(
              submission,
              job -> {
                // What is at work has to be known, also where a later one is refused, or standard
                // output takes nothing.
                output.log("submitted: %s", job.name());
                if (!output.isJson()) {
                  out.println(job.name());
                  out.flush();
                }
              },
              output::say);
      List<JobDescription> ends = wait ? patience.await(jobs, submitted.jobs(), output) : List.of();
      if (output.isJson()) {
        output.print(json(submission, submitted, ends), text -> {});
      }
      return PatienceOptions.exitCode(ends);
    }
  }

  private int dryRun(Submission submission) {
    for (Upload upload : submission.uploads()) {
      output.log("would be uploaded: %s to %s", upload.file(), upload.target());
    }
    List<Object> requests = new ArrayList<>();
    submission.jobs().forEach(job -> requests.add(job.request()));
    output.print(
        Map.of("requests", requests),
        out -> submission.jobs().forEach(job -> out.println(job.json())));
    return 0;
  }

  private static Map<String, Object> json(
      Submission submission, Submitted submitted, List<JobDescription> ends) {
    Map<String, String> statuses = new LinkedHashMap<>();
    ends.forEach(end -> statuses.put(end.name(), end.status().toString()));
    List<Map<String, Object>> jobs = new ArrayList<>();
    for (PlannedJob job : submission.jobs()) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("name", job.name());
      entry.put("run", job.run());
      if (statuses.containsKey(job.name())) {
        entry.put("status", statuses.get(job.name()));
      }
      jobs.add(entry);
    }
    List<Map<String, Object>> uploads = new ArrayList<>();
    for (Upload upload : submission.uploads()) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("file", upload.file().toString());
      entry.put("target", upload.target().toString());
      entry.put("sent", submitted.sent().contains(upload));
      uploads.add(entry);
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("jobs", jobs);
    json.put("uploads", uploads);
    return json;
  }
}

package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.sagemaker.client.JobDescription.Objective;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.sagemaker.SageMakerClient;
import software.amazon.awssdk.services.sagemaker.model.FinalHyperParameterTuningJobObjectiveMetric;
import software.amazon.awssdk.services.sagemaker.model.HyperParameterTrainingJobSummary;

/**
 * Trainings on Amazon SageMaker: submitted, waited for, compared, downloaded. May be used by any
 * number of threads.
 *
 * <p>Whatever the services refuse is a {@link LoraGraphException} of one line, which says what to
 * do.
 *
 * <p>Long because all that is done with jobs goes over the same three clients.
 */
public final class TrainingJobs implements AutoCloseable {
  private final SageMakerClient sagemaker;
  private final S3Client s3;
  private final CloudWatchLogsClient cloudWatch;

  /** What is closed with this: nothing where the clients are somebody else's. */
  private final List<AutoCloseable> owned;

  private TrainingJobs(
      SageMakerClient sagemaker,
      S3Client s3,
      CloudWatchLogsClient cloudWatch,
      List<AutoCloseable> owned) {
    this.sagemaker = sagemaker;
    this.s3 = s3;
    this.cloudWatch = cloudWatch;
    this.owned = List.copyOf(owned);
  }

  /**
   * By the credentials and settings of this machine, as the AWS SDK finds them. Whoever opens it
   * closes it.
   *
   * @param region null for that of the machine's settings
   * @throws LoraGraphException if no region is named anywhere, or a setting is none that the SDK
   *     takes
   */
  public static TrainingJobs open(@Nullable String region) {
    MachineSettings.check(region);
    List<AutoCloseable> opened = new ArrayList<>();
    try {
      return ServiceFailure.in("SageMaker", () -> open(region, opened));
    } catch (IllegalArgumentException | IllegalStateException e) {
      close(opened);
      throw new LoraGraphException(
          "a setting of AWS is none that the SDK takes (%s): correct the variables AWS_..., or what stands in %s"
              .formatted(SecretText.cut(String.valueOf(e.getMessage())), MachineSettings.files()),
          e);
    } catch (RuntimeException e) {
      close(opened);
      throw e;
    }
  }

  /**
   * @param opened takes what has to be closed, also where it comes to nothing
   */
  private static TrainingJobs open(@Nullable String region, List<AutoCloseable> opened) {
    SdkHttpClient http = new SecretText.Client(UrlConnectionHttpClient.create());
    opened.add(http);
    Region named = region == null ? null : Region.of(region);
    SageMakerClient sagemaker = SageMakerClient.builder().httpClient(http).region(named).build();
    opened.add(0, sagemaker);
    // The bucket is no part of the host's name where another host than AWS is asked.
    boolean elsewhere = MachineSettings.isElsewhere();
    S3Client s3 =
        S3Client.builder().httpClient(http).region(named).forcePathStyle(elsewhere).build();
    opened.add(0, s3);
    CloudWatchLogsClient logs =
        CloudWatchLogsClient.builder().httpClient(http).region(named).build();
    opened.add(0, logs);
    return new TrainingJobs(sagemaker, s3, logs, opened);
  }

  /** By clients of the caller, who closes them: {@link #close} does nothing then. */
  public static TrainingJobs over(
      SageMakerClient sagemaker, S3Client s3, CloudWatchLogsClient cloudWatch) {
    return new TrainingJobs(sagemaker, s3, cloudWatch, List.of());
  }

  /**
   * What would be submitted for the file of an experiment or a search with a key {@code sagemaker}:
   * a training job for each run and seed, or one tuning job. All is checked, files are read for
   * their checksums, and nothing is sent anywhere.
   *
   * @throws LoraGraphException if something is not possible
   */
  public static Submission plan(Path file) {
    return SubmissionFile.read(file, Instant.now());
  }

  /**
   * Uploads what is not there yet, then creates the jobs. A job that is there already as the
   * submission has it counts as created: a call whose answer was lost has made it.
   *
   * @param created takes each job once the service has it
   * @param notes takes a line for each upload
   * @throws LoraGraphException if a service refuses something, or a file has changed since {@link
   *     #plan}; jobs that are created by then stay
   */
  public Submitted submit(
      Submission submission, Consumer<PlannedJob> created, Consumer<String> notes) {
    InputUpload uploads = new InputUpload(s3, submission.kmsKey(), notes);
    List<Upload> sent = submission.uploads().stream().filter(uploads::send).toList();
    JobCreation creation = new JobCreation(sagemaker, notes);
    List<String> names = new ArrayList<>();
    for (PlannedJob job : submission.jobs()) {
      creation.create(
          job,
          names.isEmpty()
              ? job.name()
              : "%d of %d jobs are submitted; %s"
                  .formatted(names.size(), submission.jobs().size(), job.name()));
      names.add(job.name());
      created.accept(job);
    }
    return new Submitted(names, sent);
  }

  /**
   * Waits for jobs, training and tuning jobs alike. A service that is busy is waited over, and so
   * is one that has answered and cannot be reached any more.
   *
   * @param poll from one round of questions to the next
   * @param patience after which it ends, with jobs that are still at work, or of which the service
   *     has never told, among the result; where it is zero each job is asked for once
   * @param notes takes a line for each change
   * @return the jobs in their order, each once
   * @throws LoraGraphException if there is no such job, the service refuses to say, or it cannot be
   *     reached and has never answered
   */
  public List<JobDescription> await(
      List<String> jobs, Duration poll, Duration patience, Consumer<String> notes)
      throws InterruptedException {
    return new JobWait(this::ask, poll, patience, notes).all(jobs);
  }

  /**
   * Asks the service to stop a job, training and tuning jobs alike, which takes a while: {@link
   * #await} waits for it. A job that is over, or stops already, is left as it is.
   *
   * @return the job as the service has told of it: over where there was nothing to stop, else as it
   *     was before it was asked to stop
   * @throws LoraGraphException if there is none of the name, or the service refuses
   */
  public JobDescription stop(String job) {
    JobDescription found = describe(job);
    if (found.status().isOver() || found.status() == JobStatus.STOPPING) {
      return found;
    }
    try {
      if (found.isTuning()) {
        sagemaker.stopHyperParameterTuningJob(stop -> stop.hyperParameterTuningJobName(job));
      } else {
        sagemaker.stopTrainingJob(stop -> stop.trainingJobName(job));
      }
      return found;
    } catch (SdkException e) {
      // It may have ended since it was asked for.
      JobDescription now = describe(job);
      if (now.status().isOver()) {
        return now;
      }
      throw ServiceFailure.of("stop " + job, e);
    }
  }

  /**
   * A training job or a tuning job.
   *
   * @throws LoraGraphException if there is none of the name, or the service refuses to say
   */
  public JobDescription describe(String job) {
    return ServiceFailure.in(job, () -> ask(job));
  }

  /**
   * A training job.
   *
   * @param doing what its trainings do where a tuning job does not
   * @throws LoraGraphException if there is none of the name, it is a tuning job, or the service
   *     refuses to say
   */
  private JobDescription training(String job, String doing) {
    JobDescription said = describe(job);
    if (said.isTuning()) {
      throw new LoraGraphException(
          "%s is a tuning job, whose trainings %s: name one%s; 'lora-graph sagemaker compare %s' lists them"
              .formatted(
                  job, doing, said.best().map(best -> ", as the best, " + best).orElse(""), job));
    }
    return said;
  }

  private JobDescription ask(String job) {
    return ask(job, () -> null);
  }

  /**
   * @param most how long a call may take; null where only the SDK's own settings say it
   */
  private JobDescription ask(String job, Supplier<? extends @Nullable Duration> most) {
    try {
      return JobDescription.of(
          job,
          sagemaker.describeTrainingJob(
              ask ->
                  ask.trainingJobName(job)
                      .overrideConfiguration(call -> call.apiCallTimeout(most.get()))));
    } catch (SdkException e) {
      if (!ServiceFailure.isNotFound(e)) {
        throw e;
      }
    }
    try {
      return JobDescription.of(
          job,
          sagemaker.describeHyperParameterTuningJob(
              ask ->
                  ask.hyperParameterTuningJobName(job)
                      .overrideConfiguration(call -> call.apiCallTimeout(most.get()))));
    } catch (SdkException e) {
      if (!ServiceFailure.isNotFound(e)) {
        throw e;
      }
      throw new LoraGraphException(
          "there is no job %s in region %s: is it the name that 'submit' has printed, and the region of then?"
              .formatted(job, sagemaker.serviceClientConfiguration().region()),
          e);
    }
  }

  /**
   * The trainings of a tuning job, the best by its objective first, those without a figure last.
   *
   * @throws LoraGraphException if the service refuses to say
   */
  public List<JobDescription> trainings(JobDescription tuning) {
    boolean maximized = tuning.objective().map(Objective::isMaximized).orElse(true);
    // The service leaves out those without a figure where it sorts by the figure itself.
    return ServiceFailure.in(
        tuning.name(),
        () ->
            sagemaker
                .listTrainingJobsForHyperParameterTuningJobPaginator(
                    list -> list.hyperParameterTuningJobName(tuning.name()))
                .trainingJobSummaries()
                .stream()
                .filter(training -> training != null && training.trainingJobName() != null)
                .sorted(Comparator.comparingDouble(training -> rank(training, maximized)))
                .map(HyperParameterTrainingJobSummary::trainingJobName)
                .map(this::ask)
                .toList());
  }

  private static double rank(HyperParameterTrainingJobSummary training, boolean maximized) {
    FinalHyperParameterTuningJobObjectiveMetric figure =
        training.finalHyperParameterTuningJobObjectiveMetric();
    return figure == null || figure.value() == null || figure.value().isNaN()
        ? Double.POSITIVE_INFINITY
        : maximized ? -figure.value() : figure.value();
  }

  /**
   * What a job has printed.
   *
   * @param follow whether to go on until the job is over
   * @param poll how long to wait for more then
   * @param lines takes each line as it was printed
   * @return the job as it was before the last reading: there is no more of one that was over
   * @throws LoraGraphException if there is no such job, it is a tuning job, or a service refuses to
   *     say
   */
  public JobDescription logs(String job, boolean follow, Duration poll, Consumer<String> lines)
      throws InterruptedException {
    JobLog log = new JobLog(cloudWatch, job);
    JobDescription read = training(job, "print");
    while (true) {
      try {
        log.read(lines);
        if (!follow || read.status().isOver()) {
          return read;
        }
        Thread.sleep(poll.toMillis());
        // Asked before the next reading: what a job prints at its end is read, too.
        read = ask(job);
      } catch (SdkException e) {
        if (!follow || !ServiceFailure.isTransient(e) && !ServiceFailure.isNoneOfAws(e)) {
          throw ServiceFailure.of("logs of " + job, e);
        }
        Thread.sleep(poll.toMillis());
      }
    }
  }

  /**
   * The folder that {@link #download} would make of a job, where it is there already.
   *
   * @param job what no job can be called has no folder
   */
  Optional<Path> downloaded(String job, Path folder) {
    Path target = target(job, folder);
    return JobNames.isName(job) && Files.exists(target) ? Optional.of(target) : Optional.empty();
  }

  private static Path target(String job, Path folder) {
    return folder.resolve(job).toAbsolutePath().normalize();
  }

  /**
   * Gets what a job has made: its model, flat, into {@code FOLDER/JOB}, and what else it has
   * written into {@code FOLDER/JOB/output}. The folder appears with all that is in it, or not at
   * all.
   *
   * @param folder made where it is not there
   * @param notes takes a line where there is nothing else
   * @return the job's folder
   * @throws LoraGraphException if it is there or cannot be written, the job has no model, or an
   *     archive cannot be had, is damaged, or has something that belongs outside of the folder
   */
  public Path download(String job, Path folder, Consumer<String> notes) {
    Path target = target(job, folder);
    new JobDownload(s3, training(job, "have the models"), target, notes).run();
    return target;
  }

  /** Closes what {@link #open} has opened. */
  @Override
  public void close() {
    close(owned);
  }

  private static void close(List<AutoCloseable> opened) {
    for (AutoCloseable closeable : opened) {
      try {
        closeable.close();
      } catch (Exception e) {
        // A connection that cannot be closed is closed.
      }
    }
  }
}

package io.github.loragraph.sagemaker.client;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetLogEventsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogStream;
import software.amazon.awssdk.services.cloudwatchlogs.model.OutputLogEvent;

/** What a job prints, read on from where it was read last. Used by one thread. */
final class JobLog {
  private static final String GROUP = "/aws/sagemaker/TrainingJobs";

  private final CloudWatchLogsClient client;
  private final String job;

  /** Where each stream is read on from: a job that was interrupted has one for each container. */
  private final Map<String, String> positions = new LinkedHashMap<>();

  JobLog(CloudWatchLogsClient client, String job) {
    this.client = client;
    this.job = job;
  }

  /** Reads what is new. */
  void read(Consumer<String> lines) {
    for (String stream : streams()) {
      while (true) {
        String from = positions.get(stream);
        GetLogEventsResponse page =
            client.getLogEvents(
                get ->
                    get.logGroupName(GROUP)
                        .logStreamName(stream)
                        .startFromHead(true)
                        .nextToken(from));
        for (OutputLogEvent event : page.events()) {
          if (event.message() != null) {
            event.message().lines().forEach(lines);
          }
        }
        positions.put(stream, page.nextForwardToken());
        if (page.nextForwardToken() == null || page.nextForwardToken().equals(from)) {
          break;
        }
      }
    }
  }

  /** In the order in which the containers were started; none where nothing was printed yet. */
  private List<String> streams() {
    try {
      return client
          .describeLogStreamsPaginator(
              list -> list.logGroupName(GROUP).logStreamNamePrefix(job + "/"))
          .logStreams()
          .stream()
          .sorted((a, b) -> Long.compare(created(a), created(b)))
          .map(LogStream::logStreamName)
          .filter(Objects::nonNull)
          .toList();
    } catch (SdkException e) {
      if (ServiceFailure.isNotFound(e)) {
        return List.of();
      }
      throw e;
    }
  }

  private static long created(LogStream stream) {
    return stream.creationTime() == null ? 0 : stream.creationTime();
  }
}

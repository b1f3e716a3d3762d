package io.github.loragraph.sagemaker.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.services.sagemaker.model.DescribeTrainingJobResponse;

/** What is waited for, and what is not. */
class JobWaitTest {
  private static final Duration SOON = Duration.ofMillis(200);

  private static JobDescription completed(String name) {
    return JobDescription.of(
        name, DescribeTrainingJobResponse.builder().trainingJobStatus("Completed").build());
  }

  @Test
  @Timeout(20)
  void aCallThatNothingEndsIsLeftBehind() throws InterruptedException {
    CountDownLatch end = new CountDownLatch(1);
    JobWait wait =
        new JobWait(
            (job, most) -> {
              boolean over = false;
              while (!over) {
                try {
                  end.await();
                  over = true;
                } catch (InterruptedException e) {
                  // As a connection that is read, and a program whose end is waited for.
                }
              }
              return completed(job);
            },
            SOON,
            SOON,
            note -> {});
    try {
      assertEquals(JobStatus.UNKNOWN, wait.all(List.of("hangs")).get(0).status());
    } finally {
      end.countDown();
    }
  }

  @Test
  void withoutAnyPatienceEachIsAskedForOnce() throws InterruptedException {
    JobWait wait =
        new JobWait(
            (job, most) -> {
              if (job.equals("hangs")) {
                throw ApiCallTimeoutException.create(1);
              }
              return completed(job);
            },
            SOON,
            Duration.ZERO,
            note -> {});
    assertEquals(
        List.of(JobStatus.UNKNOWN, JobStatus.COMPLETED),
        wait.all(List.of("hangs", "done")).stream().map(JobDescription::status).toList());
  }
}

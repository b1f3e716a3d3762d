package io.github.loragraph.sagemaker.client;

import org.jspecify.annotations.Nullable;

/** Where a job stands, as the service says it. */
public enum JobStatus {
  IN_PROGRESS("InProgress"),
  STOPPING("Stopping"),
  COMPLETED("Completed"),
  FAILED("Failed"),
  STOPPED("Stopped"),

  /** The service has not said. */
  UNKNOWN("Unknown");

  private final String word;

  JobStatus(String word) {
    this.word = word;
  }

  /**
   * What is said of training jobs and of tuning jobs; words that are new are of jobs at work.
   *
   * @param said null where nothing is said
   */
  static JobStatus of(@Nullable String said) {
    if (said == null) {
      return UNKNOWN;
    }
    for (JobStatus status : values()) {
      if (status.word.equals(said)) {
        return status;
      }
    }
    return said.startsWith("Delet") ? STOPPED : IN_PROGRESS;
  }

  /** Whether nothing more happens to the job. */
  public boolean isOver() {
    return this == COMPLETED || this == FAILED || this == STOPPED;
  }

  /** The service's word. */
  @Override
  public String toString() {
    return word;
  }
}

package io.github.loragraph.sagemaker.client;

import java.util.List;

/**
 * What a submission came to.
 *
 * @param jobs the names of the jobs, in the order of the submission
 * @param sent the uploads that were not there yet
 */
public record Submitted(List<String> jobs, List<Upload> sent) {
  public Submitted {
    jobs = List.copyOf(jobs);
    sent = List.copyOf(sent);
  }
}

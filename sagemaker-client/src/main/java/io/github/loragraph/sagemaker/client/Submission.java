package io.github.loragraph.sagemaker.client;

import java.util.List;
import java.util.Optional;

/**
 * What is submitted for a file: checked, with nothing sent yet.
 *
 * @param jobs in the order of the file
 * @param uploads that they need, each once
 * @param region that the file names; empty where the machine's settings say it
 * @param kmsKey that uploads are encrypted by; empty for the bucket's own way
 * @param notes of what the service does otherwise than this machine, a line each
 */
public record Submission(
    List<PlannedJob> jobs,
    List<Upload> uploads,
    Optional<String> region,
    Optional<String> kmsKey,
    List<String> notes) {
  public Submission {
    jobs = List.copyOf(jobs);
    uploads = List.copyOf(uploads);
    notes = List.copyOf(notes);
  }
}

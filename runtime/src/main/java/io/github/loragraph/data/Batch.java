package io.github.loragraph.data;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Examples padded to one length, in memory that is lent by the {@link BatchSource} they come from:
 * no other batch uses it before this one is closed, and nothing of this one can be read after. Who
 * draws a batch closes it, when it has been run.
 */
public final class Batch implements AutoCloseable {
  private final List<HostTensor> inputs;
  private final @Nullable HostTensor labels;
  private final int examples;
  private final BatchMemory.Loan loan;

  /**
   * @param labels null where the examples have none
   * @param loan the memory of all its tensors
   */
  Batch(List<HostTensor> inputs, @Nullable HostTensor labels, int examples, BatchMemory.Loan loan) {
    this.inputs = List.copyOf(inputs);
    this.labels = labels;
    this.examples = examples;
    this.loan = loan;
  }

  /**
   * The model's inputs; the first axis counts the examples.
   *
   * @throws IllegalStateException if the batch is closed
   */
  public List<HostTensor> inputs() {
    loan.requireOpen();
    return inputs;
  }

  /**
   * The labels; null where the examples have none.
   *
   * @throws IllegalStateException if the batch is closed
   */
  public @Nullable HostTensor labels() {
    loan.requireOpen();
    return labels;
  }

  /**
   * Inputs and labels.
   *
   * @throws IllegalStateException if the batch is closed
   */
  public List<HostTensor> withLabels() {
    loan.requireOpen();
    List<HostTensor> all = new ArrayList<>(inputs);
    all.add(labels);
    return all;
  }

  /** The number of examples. */
  public int examples() {
    return examples;
  }

  /** Gives the memory back; a second time does nothing. */
  @Override
  public void close() {
    loan.close();
  }
}

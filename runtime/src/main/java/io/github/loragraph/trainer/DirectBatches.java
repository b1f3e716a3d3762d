package io.github.loragraph.trainer;

import io.github.loragraph.data.Batch;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.StepInput;
import io.github.loragraph.engine.StepResult;
import java.util.ArrayList;
import java.util.List;

/** Each part is padded and handed to the engine as it is, several in one call where it can. */
record DirectBatches(Engine engine, BatchSource batches) implements BatchRunner {
  @Override
  public int batchesPerCall() {
    return engine.batchesPerCall();
  }

  /** One call of the engine. Its batches are open together, until it is over. */
  @Override
  public List<StepResult> run(List<Part> parts, Runnable stop) {
    List<Batch> open = new ArrayList<>();
    try {
      List<StepInput> inputs = new ArrayList<>();
      for (Part part : parts) {
        Batch batch = batches.batch(part.examples(), part.of().batch());
        open.add(batch);
        inputs.add(
            new StepInput(
                batch.withLabels(), part.rate(), part.share(), part.of().piece(), part.last()));
      }
      return engine.steps(inputs);
    } finally {
      open.forEach(Batch::close);
    }
  }
}

package io.github.loragraph.bench;

import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.evaluation.ProbeInput;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Optimization;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A process that computes the same with this program and with libtorch: what is compared for speed
 * is the same work. The losses of a few steps show that gradients and updates agree, too.
 */
public final class Agreement {
  private static final int BATCH = 2;
  private static final int SEQUENCE = 16;
  private static final int STEPS = 4;
  private static final double RATE = 1e-3;
  private static final double LOGITS_TOLERANCE = 1e-4;
  private static final double LOSS_TOLERANCE = 1e-3;

  private Agreement() {}

  /** What comes out on one side. */
  private record Outcome(float[] logits, double[] losses) {}

  /**
   * Compares, and prints the differences in a line.
   *
   * @param args a model file and a method
   */
  public static void main(String[] args) {
    Path file = Path.of(args[0]);
    Method method = Method.valueOf(args[1].toUpperCase(Locale.ROOT));
    OnnxModel model = OnnxFile.read(file);
    List<HostTensor> inputs = ProbeInput.of(model.graph(), BATCH, SEQUENCE, 0);
    Outcome ours = ours(model, method, inputs);
    TorchEncoder.threads(1);
    double logits = 0;
    double losses = 0;
    for (TorchEncoder.Form form : TorchEncoder.Form.values()) {
      Outcome theirs = theirs(file, form, method, TokenBatch.of(inputs));
      for (int i = 0; i < ours.logits.length; i++) {
        logits = Math.max(logits, Math.abs(ours.logits[i] - theirs.logits[i]));
      }
      for (int i = 0; i < STEPS; i++) {
        losses = Math.max(losses, Math.abs(ours.losses[i] - theirs.losses[i]));
      }
    }
    String differences =
        String.format(
            Locale.ROOT,
            "method %s: libtorch's answers differ by %.1e, the losses of %d steps by %.1e",
            method,
            logits,
            STEPS,
            losses);
    if (!(logits <= LOGITS_TOLERANCE && losses <= LOSS_TOLERANCE)) {
      System.err.println(differences);
      System.exit(1);
    }
    System.out.println(differences);
  }

  private static Outcome ours(OnnxModel model, Method method, List<HostTensor> inputs) {
    Engines engines =
        new Engines(
            model,
            TrainableSelection.of(method).values(model),
            CrossEntropyLoss.plain(),
            new Optimization(AdamW.ofTrainer(), 0, LoraDropout.NONE),
            1,
            1,
            0,
            new Sessions(OrtRuntime.ofThisProcess(), 1));
    try (Engines.Opened opened = engines.open(EngineKind.GRAPH, null, STEPS, null, line -> {})) {
      Engine engine = opened.engine();
      float[] logits = flat(engine.classifier().logits(inputs));
      List<HostTensor> batch = new ArrayList<>(inputs);
      ByteBuffer zeros =
          ByteBuffer.allocateDirect(BATCH * Long.BYTES).order(ByteOrder.nativeOrder());
      batch.add(
          new HostTensor(opened.labels().name(), ElementType.INT64, new long[] {BATCH}, zeros));
      double[] losses = new double[STEPS];
      for (int i = 0; i < STEPS; i++) {
        losses[i] = engine.step(batch, RATE).loss();
      }
      return new Outcome(logits, losses);
    }
  }

  private static float[] flat(float[][] rows) {
    float[] all = new float[rows.length * rows[0].length];
    for (int i = 0; i < all.length; i++) {
      all[i] = rows[i / rows[0].length][i % rows[0].length];
    }
    return all;
  }

  private static Outcome theirs(
      Path file, TorchEncoder.Form form, Method method, TokenBatch batch) {
    try (TorchEncoder encoder = new TorchEncoder(file, form, method, true, RATE)) {
      float[] logits = encoder.logits(batch);
      double[] losses = new double[STEPS];
      for (int i = 0; i < STEPS; i++) {
        losses[i] = encoder.step(batch);
      }
      return new Outcome(logits, losses);
    }
  }
}

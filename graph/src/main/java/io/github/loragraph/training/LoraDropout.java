package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.passes.Pass;
import io.github.loragraph.passes.TypedModel;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Dropout on what enters the adapters, as PEFT has it: {@code y = xW + b + s (dropout(x) lora_A)
 * lora_B}. It is in the training graph only.
 *
 * <p>With DoRA PEFT drops out of what the magnitude changes, too: with f the magnitude by the norm
 * and x' = dropout(x), {@code y = xW + b + (f - 1) x'W + f s (x' lora_A) lora_B}. That is a second
 * product with W.
 *
 * <p>{@code Dropout} and {@code RandomUniform} draw from a generator inside the session, which no
 * checkpoint holds. Here whether an element is kept follows from the step's seed and its place
 * alone, so a run that is resumed goes on with the very same masks: row i and column j have odd
 * 64-bit numbers, and the upper bits of their product decide (multiplicative hashing). The numbers
 * of the rows are mixed out of the seed while the graph runs, those of the columns are drawn once
 * for each adapter.
 */
public record LoraDropout(double probability) implements Pass {
  /** No dropout. */
  public static final LoraDropout NONE = new LoraDropout(0);

  /** INT64 scalar input: another number in each step. */
  public static final String SEED = "dropout_seed";

  /** Odd multipliers with well spread bits: the golden ratio's, and two of SplitMix64's. */
  private static final long[] MULTIPLIERS = {
    0x9e3779b97f4a7c15L, 0xbf58476d1ce4e5b9L, 0x94d049bb133111ebL
  };

  public LoraDropout {
    if (!(probability >= 0 && probability < 1)) {
      throw new LoraGraphException(
          "LoRA dropout " + probability + " is not in [0, 1): 0 turns it off, 0.1 is usual");
    }
  }

  /** The value of {@link #SEED} in a step of a run. */
  public static long seedOf(long runSeed, long step) {
    return new SplittableRandom(runSeed * MULTIPLIERS[0] + step).nextLong();
  }

  /**
   * The same for a piece of a batch; that of the first is the batch's own.
   *
   * @param batch its number in the run, from 1
   * @param piece its number in the batch, from 0
   */
  public static long seedOf(long runSeed, long batch, int piece) {
    long whole = seedOf(runSeed, batch);
    return piece == 0 ? whole : seedOf(whole, piece);
  }

  /** Whether anything is dropped. */
  public boolean isOn() {
    return probability > 0;
  }

  /**
   * Adds the dropout to a model of operator set {@link GraphBuilder#OPSET}, if it is on.
   *
   * @throws LoraGraphException if the model has no adapters
   */
  @Override
  public Result apply(TypedModel typed, Set<String> trainable) {
    if (!isOn()) {
      return Result.of(typed);
    }
    OnnxModel model = typed.model();
    Graph graph = model.graph().copy();
    addTo(graph, model);
    return Result.of(typed.with(model.withGraph(graph)));
  }

  private void addTo(Graph graph, OnnxModel model) {
    LoraMetadata metadata = LoraMetadata.stated(model).orElseGet(() -> LoraMetadata.require(model));
    graph.addInput(ValueInfo.of(SEED, TensorType.of(ElementType.INT64)));
    int number = 0;
    for (LoraMetadata.Target target : metadata.targets()) {
      String a = target.parameterA();
      for (Node node : metadata.entries(graph, target)) {
        int before = graph.nodes().size();
        GraphBuilder b = new GraphBuilder(graph, "/lora_dropout/" + target.path());
        String x = node.input(0);
        Tensor weight = Objects.requireNonNull(graph.constant(a), a);
        String kept =
            b.where(keep(b, x, weight.dim(0), number++), x, b.scalar(ElementType.FLOAT, 0));
        Node scaled = node.withInput(0, kept);
        float scale = (float) (1 / (1 - probability));
        if (node.is("Gemm")) {
          scaled = scaled.with("alpha", scale * node.attribute("alpha", 1f));
        } else {
          scaled = scaled.withInput(0, b.mul(kept, b.scalar(ElementType.FLOAT, scale)));
        }
        graph.replace(node, scaled);
        moveBefore(graph, scaled, before);
        if (metadata.variant().useDora()) {
          new DoraDropout(graph, target, x, kept, scale).behind(scaled);
        }
      }
    }
  }

  /** What was appended since the graph had so many nodes goes before the node that reads it. */
  static void moveBefore(Graph graph, Node reader, int size) {
    List<Node> appended = List.copyOf(graph.nodes().subList(size, graph.nodes().size()));
    graph.removeAll(appended);
    appended.forEach(node -> graph.insertBefore(reader, node));
  }

  /** BOOL of x's shape: true with probability 1 - p. */
  private String keep(GraphBuilder b, String x, long columns, int adapter) {
    String shape = b.shape(x);
    String leading = b.op("Slice", shape, b.longs(0), b.longs(-1), b.longs(0));
    String zero = b.scalar(ElementType.INT64, 0);
    String one = b.scalar(ElementType.INT64, 1);
    String count = b.reduce("ReduceProd", leading, b.longs(0), false);
    String index = b.op("Range", zero, count, one);
    String mixed = b.add(b.mul(index, number(b, MULTIPLIERS[0])), SEED);
    for (int round = 1; round < MULTIPLIERS.length; round++) {
      // Upper bits come down, as a shift and xor would bring them, then go up by the product.
      String upper = b.div(mixed, number(b, 1L << 31));
      mixed = b.mul(b.add(mixed, upper), number(b, MULTIPLIERS[round]));
    }
    String odd = b.add(b.mul(mixed, number(b, 2)), one);
    String rows = b.reshape(odd, b.concat(0, leading, b.longs(1)));
    long[] numbers = new long[Math.toIntExact(columns)];
    Random random = new Random(adapter);
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = random.nextLong() | 1;
    }
    String name = b.graph().freshName("/lora_dropout/columns");
    String hash = b.mul(rows, b.initializer(Tensor.ofLongs(name, numbers, numbers.length)));
    return b.op("GreaterOrEqual", hash, number(b, threshold()));
  }

  /** So many of all 64-bit numbers lie below it as elements are dropped. */
  private long threshold() {
    return (long) (Long.MIN_VALUE + probability * 0x1p64);
  }

  private static String number(GraphBuilder b, long value) {
    String name = b.graph().freshName("/lora_dropout/constant");
    return b.initializer(Tensor.ofLongs(name, new long[] {value}));
  }
}

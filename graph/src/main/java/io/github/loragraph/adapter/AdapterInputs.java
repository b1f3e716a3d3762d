package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Spelling;
import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.lora.Linear;
import io.github.loragraph.lora.LinearFinder;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.LoraRemover;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.WeightLayout;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One model for many adapters: what an adapter brings are inputs that may be left out. At each
 * adapted Linear y = xW + b + (x lora_A) lora_B with lora_A (in, 0) and lora_B (0, out) as long as
 * nobody gives others, so any rank and any alpha can be handed in, the scale in lora_B. What is
 * trained in full, a head above all, is an input whose default is what the model has; where a
 * head's last layer makes the output, an adapter may have another number of classes. All other
 * weights stay as they are.
 *
 * <p>Long because what the inputs are, and what fits them, is known in one place.
 */
public final class AdapterInputs {
  private static final String A = ".lora_A";
  private static final String B = ".lora_B";

  /** How the size of an axis is called that is an adapter's rank, after the module path. */
  private static final String RANK = ".lora_r";

  /** How the size of an axis is called that is an adapter's number of classes. */
  private static final String CLASSES = "classes";

  private AdapterInputs() {}

  /**
   * The adapters and trained parameters of a model as values for inputs of {@link #base}.
   *
   * @param injected stays as it is
   * @throws LoraGraphException if the model has no adapters, or of a kind that is no product of two
   *     matrices
   */
  public static OnnxAdapter of(OnnxModel injected) {
    return injected.namingFile(() -> values(injected));
  }

  private static OnnxAdapter values(OnnxModel injected) {
    LoraMetadata metadata = LoraMetadata.require(injected);
    Graph graph = injected.graph();
    List<Tensor> tensors = new ArrayList<>();
    refuseMagnitudes(metadata);
    for (LoraMetadata.Target target : metadata.targets()) {
      Tensor a = initializer(graph, target.parameterA());
      Tensor b = scaled(initializer(graph, target.parameterB()), metadata.scale(target));
      if (metadata.variant().init().isAnchored()) {
        // x A s B - x A0 s B0 is one product, of twice the rank.
        Tensor anchorB = initializer(graph, target.anchorB());
        a = besides(a, initializer(graph, target.anchorA()));
        b = below(b, scaled(anchorB, -metadata.scale(target)));
      }
      tensors.add(a);
      tensors.add(b);
    }
    for (Parameter parameter : trainedInFull(injected)) {
      tensors.add(
          Objects.requireNonNull(graph.constant(parameter.value()), parameter.value())
              .withName(parameter.name()));
    }
    return OnnxAdapter.of(tensors);
  }

  private static Tensor initializer(Graph graph, String name) {
    return Objects.requireNonNull(graph.initializer(name), name);
  }

  private static void refuseMagnitudes(LoraMetadata metadata) {
    if (metadata.variant().useDora()) {
      throw new LoraGraphException(
          "the adapters are DoRA, which scale the layers' own weights: they cannot be switched as inputs; merge them into the model");
    }
  }

  private static List<Parameter> trainedInFull(OnnxModel injected) {
    return Parameters.of(injected).stream()
        .filter(p -> p.trainable() && !LoraMetadata.isAdapterWeight(p.name()))
        .toList();
  }

  private static Tensor scaled(Tensor b, double scale) {
    float[] values = b.toFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (values[i] * scale);
    }
    return Tensor.ofFloats(b.name(), values, b.dims());
  }

  /** Two matrices side by side, under the name of the first. */
  private static Tensor besides(Tensor left, Tensor right) {
    int rows = Math.toIntExact(left.dim(0));
    int width = Math.toIntExact(left.dim(1));
    int more = Math.toIntExact(right.dim(1));
    float[] l = left.toFloats();
    float[] r = right.toFloats();
    float[] both = new float[l.length + r.length];
    for (int i = 0; i < rows; i++) {
      System.arraycopy(l, i * width, both, i * (width + more), width);
      System.arraycopy(r, i * more, both, i * (width + more) + width, more);
    }
    return Tensor.ofFloats(left.name(), both, rows, width + more);
  }

  /** Two matrices one below the other, under the name of the first. */
  private static Tensor below(Tensor upper, Tensor lower) {
    float[] u = upper.toFloats();
    float[] l = lower.toFloats();
    float[] both = Arrays.copyOf(u, u.length + l.length);
    System.arraycopy(l, 0, both, u.length, l.length);
    return Tensor.ofFloats(upper.name(), both, upper.dim(0) + lower.dim(0), upper.dim(1));
  }

  /**
   * The model without its adapters, which takes them and others of the same layers as inputs.
   *
   * @param injected stays as it is
   * @param naming of the inputs
   * @throws LoraGraphException as {@link #of} does
   */
  public static OnnxModel base(OnnxModel injected, AdapterNaming naming) {
    return injected.namingFile(
        () -> {
          refuseMagnitudes(LoraMetadata.require(injected));
          Set<String> paths = LoraMetadata.adaptedPaths(injected);
          Set<String> full = new LinkedHashSet<>();
          trainedInFull(injected).forEach(p -> full.add(p.name()));
          return base(LoraRemover.remove(injected), paths, full, naming);
        });
  }

  /**
   * A model that takes adapters of some layers as inputs.
   *
   * @param model has no adapters; stays as it is
   * @param paths the module paths of the Linears that may be adapted
   * @param parameters the names of the parameters that an adapter may bring whole
   * @param naming of the inputs
   * @throws LoraGraphException if there is no such layer or parameter, or it is not of FLOAT
   */
  public static OnnxModel base(
      OnnxModel model, Set<String> paths, Set<String> parameters, AdapterNaming naming) {
    Map<String, Parameter> found = new LinkedHashMap<>();
    for (Parameter parameter : Parameters.of(model)) {
      found.putIfAbsent(parameter.name(), parameter);
    }
    Set<String> values = new LinkedHashSet<>();
    for (String name : parameters) {
      Parameter parameter = found.get(name);
      if (parameter == null) {
        throw missing("parameter", name, found.keySet());
      }
      values.add(parameter.value());
    }
    OnnxModel own = InitializerUntying.unshare(model.withConstantInitializers(), values);
    Graph graph = own.graph();
    List<Linear> linears = LinearFinder.find(graph);
    Map<String, Linear> byPath = new LinkedHashMap<>();
    linears.forEach(linear -> byPath.putIfAbsent(linear.path(), linear));
    for (String path : paths) {
      Linear linear = byPath.get(path);
      if (linear == null) {
        throw missing("Linear layer", path, byPath.keySet());
      }
      if (linear.type() != ElementType.FLOAT) {
        throw new LoraGraphException(
            "'%s' is computed in %s, and adapters are for models that compute in FLOAT: export the model in float32, or convert it"
                .formatted(path, linear.type()));
      }
      new Branch(graph, linear, naming).add();
    }
    Map<String, Integer> classAxes = classAxes(graph, linears, parameters);
    for (String name : parameters) {
      Parameter parameter = Objects.requireNonNull(found.get(name));
      exposeWhole(graph, parameter, classAxes.get(parameter.value()));
    }
    return own.withGraph(graph);
  }

  private static LoraGraphException missing(String kind, String name, Set<String> known) {
    List<String> nearest = Spelling.nearest(name, List.copyOf(known));
    return new LoraGraphException(
        "the model has no %s '%s'%s: the adapter is of another model"
            .formatted(
                kind, name, nearest.isEmpty() ? "" : ", the nearest is '" + nearest.get(0) + "'"));
  }

  /** A parameter becomes an input, whose default it is. */
  private static void exposeWhole(Graph graph, Parameter parameter, @Nullable Integer classAxis) {
    Tensor tensor = Objects.requireNonNull(graph.initializer(parameter.value()), parameter.value());
    String name = parameter.name();
    if (!name.equals(parameter.value())) {
      requireFree(graph, name);
      graph.putInitializer(tensor.withName(name));
      graph.redirectConsumers(parameter.value(), name);
      graph.removeInitializer(parameter.value());
    }
    List<Dimension> dims = new ArrayList<>();
    for (int axis = 0; axis < tensor.rank(); axis++) {
      dims.add(
          classAxis != null && classAxis == axis
              ? Dimension.named(CLASSES)
              : Dimension.of(tensor.dim(axis)));
    }
    graph.addInput(ValueInfo.of(name, new TensorType(tensor.elementType(), new Shape(dims))));
  }

  private static void requireFree(Graph graph, String name) {
    if (graph.initializer(name) != null || graph.producer(name) != null || graph.isInput(name)) {
      throw new LoraGraphException(
          "the model has a value named '%s' already, which an input for adapters would be named"
              .formatted(name));
    }
  }

  /**
   * The axes of weight and bias that are the classes, where a Linear that is brought whole makes an
   * output by itself; the output's last axis is open then.
   */
  private static Map<String, Integer> classAxes(
      Graph graph, List<Linear> linears, Set<String> parameters) {
    Map<String, Integer> axes = new HashMap<>();
    Set<String> open = new HashSet<>();
    for (Linear linear : linears) {
      boolean whole =
          linear.part() == null
              && parameters.contains(linear.weightName())
              && (linear.bias() == null || parameters.contains(linear.biasName()));
      if (whole && linear.sites().stream().allMatch(s -> graph.isOutput(s.output()))) {
        axes.put(linear.weightValue(), linear.layout() == WeightLayout.OUT_IN ? 0 : 1);
        if (linear.bias() != null) {
          axes.put(linear.bias(), 0);
        }
        for (Linear.Site site : linear.sites()) {
          open.add(site.output());
          graph.removeValueInfo(site.node().output(0));
        }
      }
    }
    openOutputs(graph, open);
    return axes;
  }

  private static void openOutputs(Graph graph, Set<String> open) {
    List<ValueInfo> outputs = List.copyOf(graph.outputs());
    graph.clearOutputs();
    for (ValueInfo output : outputs) {
      graph.addOutput(open.contains(output.name()) ? withOpenEnd(output) : output);
    }
  }

  private static ValueInfo withOpenEnd(ValueInfo output) {
    TensorType type = output.type();
    if (type == null || type.shape() == null) {
      return output;
    }
    List<Dimension> dims = new ArrayList<>(type.requireShape().dimensions());
    dims.set(dims.size() - 1, Dimension.named(CLASSES));
    return ValueInfo.of(output.name(), new TensorType(type.elementType(), new Shape(dims)));
  }

  /**
   * How many classes an adapter answers; empty where it brings no head of its own, or none whose
   * last layer makes the output.
   *
   * @param base one that the adapter fits
   */
  public static OptionalInt classes(OnnxModel base, OnnxAdapter adapter) {
    for (ValueInfo input : base.graph().inputs()) {
      Tensor tensor = adapter.parameters().get(input.name());
      TensorType type = input.type();
      if (tensor != null && type != null && type.shape() != null) {
        int axis = type.requireShape().dimensions().indexOf(Dimension.named(CLASSES));
        if (axis >= 0) {
          return OptionalInt.of(Math.toIntExact(tensor.dim(axis)));
        }
      }
    }
    return OptionalInt.empty();
  }

  /**
   * A model with as many classes as an adapter's head has, in whose place zeros stand; the model
   * itself where that is no other number.
   *
   * @param model stays as it is
   */
  public static OnnxModel withRoomFor(OnnxModel model, PeftAdapter adapter) {
    for (Linear linear : LinearFinder.find(model.graph())) {
      boolean last =
          linear.part() == null
              && linear.sites().stream().allMatch(s -> model.graph().isOutput(s.output()));
      if (last) {
        for (Map.Entry<String, Tensor> brought : adapter.others().entrySet()) {
          Tensor tensor = brought.getValue();
          if (brought.getKey().endsWith("." + linear.weightName())
              && tensor.rank() == 2
              && tensor.dim(0) != linear.out()) {
            return withClasses(model, linear, tensor.dim(0));
          }
        }
      }
    }
    return model;
  }

  private static OnnxModel withClasses(OnnxModel model, Linear linear, long classes) {
    Set<String> values = new LinkedHashSet<>(Set.of(linear.weightValue()));
    if (linear.bias() != null) {
      values.add(linear.bias());
    }
    OnnxModel own = InitializerUntying.unshare(model.withConstantInitializers(), values);
    Graph graph = own.graph();
    boolean outIn = linear.layout() == WeightLayout.OUT_IN;
    graph.putInitializer(
        Tensor.filled(
            linear.weightValue(),
            ElementType.FLOAT,
            0,
            outIn ? new long[] {classes, linear.in()} : new long[] {linear.in(), classes}));
    if (linear.bias() != null) {
      graph.putInitializer(Tensor.filled(linear.bias(), ElementType.FLOAT, 0, classes));
    }
    Set<String> open = new HashSet<>();
    linear.sites().forEach(site -> open.add(site.output()));
    linear.sites().forEach(site -> graph.removeValueInfo(site.node().output(0)));
    openOutputs(graph, open);
    return withClasses(own.withGraph(graph), Math.toIntExact(classes));
  }

  /** A base as it is declared with so many classes, where it leaves them open. */
  public static OnnxModel withClasses(OnnxModel base, int classes) {
    Graph graph = base.graph().copy();
    List<ValueInfo> outputs = List.copyOf(graph.outputs());
    graph.clearOutputs();
    for (ValueInfo output : outputs) {
      TensorType type = output.type();
      graph.addOutput(
          type == null || type.shape() == null
              ? output
              : ValueInfo.of(
                  output.name(),
                  new TensorType(
                      type.elementType(),
                      new Shape(
                          type.requireShape().dimensions().stream()
                              .map(d -> CLASSES.equals(d.symbol()) ? Dimension.of(classes) : d)
                              .toList()))));
    }
    return base.withGraph(graph);
  }

  /** The inputs beside one Linear. */
  private record Branch(Graph graph, Linear linear, AdapterNaming naming) {
    void add() {
      String path = linear.path();
      String a = naming.of(path + A);
      String b = naming.of(path + B);
      requireFree(graph, a);
      requireFree(graph, b);
      Dimension rank = Dimension.named(path + RANK);
      input(a, new long[] {linear.in(), 0}, List.of(Dimension.of(linear.in()), rank));
      input(b, new long[] {0, linear.out()}, List.of(rank, Dimension.of(linear.out())));
      for (int site = 0; site < linear.sites().size(); site++) {
        add(linear.sites().get(site), site == 0 ? "" : "_" + site, a, b);
      }
    }

    private void input(String name, long[] dims, List<Dimension> open) {
      graph.putInitializer(Tensor.of(name, ElementType.FLOAT, ByteBuffer.allocate(0), dims));
      graph.addInput(ValueInfo.of(name, new TensorType(ElementType.FLOAT, new Shape(open))));
    }

    /** The sum makes the Linear's output, so that no reader has to change. */
    private void add(Linear.Site site, String suffix, String a, String b) {
      String scope = "/" + linear.path().replace('.', '/');
      String base = graph.freshName(linear.path() + ".lora_base" + suffix);
      String small = graph.freshName(linear.path() + A + "_output" + suffix);
      String delta = graph.freshName(linear.path() + B + "_output" + suffix);
      Node last = site.last();
      Node renamed = last.withOutput(0, base);
      graph.replace(last, renamed);
      List<Node> nodes =
          List.of(
              node(scope + "/lora_A/MatMul" + suffix, "MatMul", site.input(), a, small),
              node(scope + "/lora_B/MatMul" + suffix, "MatMul", small, b, delta),
              node(scope + "/lora_Add/Add" + suffix, "Add", base, delta, site.output()));
      Node anchor = renamed;
      for (Node node : nodes) {
        graph.insertAfter(anchor, node);
        anchor = node;
      }
    }

    private static Node node(String name, String op, String a, String b, String output) {
      return Node.of(name, op, List.of(a, b), List.of(output));
    }
  }

  /**
   * Holds an adapter to the inputs of a model: each of its parameters has one, of its type and
   * size, and matrices come in pairs of one rank.
   *
   * @param base as {@link #base} or another tool makes it
   * @throws LoraGraphException if it does not fit; it names the parameter and the nearest input
   */
  public static void requireFitting(OnnxModel base, OnnxAdapter adapter) {
    Map<String, ValueInfo> optional = new LinkedHashMap<>();
    for (ValueInfo input : base.graph().inputs()) {
      if (base.graph().initializer(input.name()) != null) {
        optional.put(input.name(), input);
      }
    }
    Map<String, Long> symbols = new HashMap<>();
    for (Tensor tensor : adapter.parameters().values()) {
      ValueInfo input = optional.get(tensor.name());
      if (input == null) {
        throw missing("input for adapters", tensor.name(), optional.keySet());
      }
      requireFitting(tensor, input, symbols);
    }
    for (ValueInfo input : optional.values()) {
      TensorType type = input.type();
      if (type != null && type.shape() != null && !adapter.parameters().containsKey(input.name())) {
        for (Dimension dimension : type.requireShape().dimensions()) {
          Long given = dimension.symbol() == null ? null : symbols.get(dimension.symbol());
          Tensor standing = Objects.requireNonNull(base.graph().initializer(input.name()));
          int axis = type.requireShape().dimensions().indexOf(dimension);
          if (given != null && given != standing.dim(axis)) {
            throw new LoraGraphException(
                "the adapter lacks '%s', without which its other parameters do not fit"
                    .formatted(input.name()));
          }
        }
      }
    }
  }

  /**
   * An adapter as a model names its inputs.
   *
   * @param base as {@link #base} or another tool makes it
   * @param adapter named as in our own models
   * @throws LoraGraphException if it does not fit, as {@link #requireFitting} says
   */
  public static OnnxAdapter fitting(OnnxModel base, OnnxAdapter adapter) {
    OnnxAdapter fitting = adapter;
    for (AdapterNaming naming : AdapterNaming.values()) {
      OnnxAdapter named = adapter.named(naming);
      if (named.parameters().keySet().stream().allMatch(base.graph()::isInput)) {
        fitting = named;
        break;
      }
    }
    requireFitting(base, fitting);
    return fitting;
  }

  private static void requireFitting(Tensor tensor, ValueInfo input, Map<String, Long> symbols) {
    TensorType type = input.type();
    boolean fits =
        type != null
            && type.elementType() == tensor.elementType()
            && (type.shape() == null || type.requireShape().rank() == tensor.rank());
    if (fits && type != null && type.shape() != null) {
      for (int axis = 0; axis < tensor.rank(); axis++) {
        Dimension dimension = type.requireShape().dimension(axis);
        long size = tensor.dim(axis);
        if (dimension.isKnown()) {
          fits &= dimension.size() == size;
        } else if (dimension.symbol() != null) {
          Long other = symbols.putIfAbsent(dimension.symbol(), size);
          fits &= other == null || other == size;
        }
      }
    }
    if (!fits) {
      throw new LoraGraphException(
          "the adapter's %s does not fit the model's input %s: it is of another model"
              .formatted(tensor, input));
    }
  }
}

package io.github.loragraph.ops;

import io.github.loragraph.onnx.Node;
import io.github.loragraph.shape.TypeRules;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The registry: every operator that is known, under its name. Immutable, and the same for all.
 *
 * <p>Operators announce themselves: {@code @AutoService} writes the classes' names into an index
 * ({@code META-INF/services}) when they are compiled, so that one who adds an operator touches no
 * other file. The index is read here and not by {@link java.util.ServiceLoader}: that passes over
 * it for a named module, whose services stand in {@code module-info.java} instead, which would be a
 * second file to touch. A file under {@code META-INF} lies in no package, so it can be read from
 * the class path and from any module of the same loader; and the classes are of the module that
 * instantiates them here, so that none needs to be exported or opened.
 */
public final class Operators implements TypeRules {
  private static final String INDEX = "META-INF/services/" + OperatorFamily.class.getName();

  /** ONNX Runtime's own operators. */
  private static final String CONTRIBUTED = Kernels.DOMAIN;

  private static final class Holder {
    static final Operators ALL = new Operators(families());
  }

  private final NavigableMap<String, Operator> operators = new TreeMap<>();

  /**
   * @throws IllegalStateException if two are of the same name
   */
  Operators(Iterable<OperatorFamily> families) {
    for (OperatorFamily family : families) {
      for (Operator operator : family.operators()) {
        if (operators.put(key(operator.domain(), operator.name()), operator) != null) {
          throw new IllegalStateException("two operators " + operator.name());
        }
      }
    }
  }

  /** All that announce themselves. */
  public static Operators all() {
    return Holder.ALL;
  }

  /**
   * A node's operator, or null where it is not known. ONNX Runtime's optimizer writes some of its
   * own operators into the standard set, where they are not defined: they are found there too.
   */
  @Override
  public @Nullable Operator of(Node node) {
    Operator operator = operators.get(key(node.domain(), node.opType()));
    return operator == null && node.domain().isEmpty()
        ? operators.get(key(CONTRIBUTED, node.opType()))
        : operator;
  }

  /** An operator of any domain by its name alone, the standard one first; null without one. */
  public @Nullable Operator named(String name) {
    Operator operator = operators.get(key("", name));
    return operator == null ? operators.get(key(CONTRIBUTED, name)) : operator;
  }

  /** Whether a node's operator is known to have a trait. */
  public boolean has(Node node, Trait trait) {
    Operator operator = of(node);
    return operator != null && operator.is(trait);
  }

  /** Whether a node's operator is known to have one of some traits. */
  public boolean has(Node node, Set<Trait> traits) {
    Operator operator = of(node);
    return operator != null && traits.stream().anyMatch(operator::is);
  }

  /** Whether an operator of any domain is known to have a trait, the standard one first. */
  public boolean has(String name, Trait trait) {
    Operator operator = named(name);
    return operator != null && operator.is(trait);
  }

  /** The gradient of a node's operator, or null. */
  public @Nullable Gradient gradient(Node node, Kernels kernels) {
    Operator operator = of(node);
    return operator == null ? null : operator.gradient(kernels);
  }

  /** All of them, sorted by domain and name. */
  public Collection<Operator> operators() {
    return Collections.unmodifiableCollection(operators.values());
  }

  /**
   * The operators that a gradient goes through, by their gradient or their body, sorted; those of
   * other domains with the domain before them.
   */
  public Set<String> differentiable() {
    Set<String> names = new TreeSet<>();
    for (Operator operator : operators.values()) {
      if (operator.gradient(Kernels.STANDARD) != null || operator.body() != null) {
        names.add(key(operator.domain(), operator.name()));
      }
    }
    return names;
  }

  private static String key(String domain, String operator) {
    return domain.isEmpty() ? operator : domain + "." + operator;
  }

  private static List<OperatorFamily> families() {
    ClassLoader loader = Operators.class.getClassLoader();
    Set<String> names = new TreeSet<>();
    try {
      for (URL index : Collections.list(loader.getResources(INDEX))) {
        try (BufferedReader reader =
            new BufferedReader(new InputStreamReader(index.openStream(), StandardCharsets.UTF_8))) {
          reader
              .lines()
              .map(line -> line.replaceFirst("#.*", "").strip())
              .filter(line -> !line.isEmpty())
              .forEach(names::add);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the index of operators cannot be read", e);
    }
    return names.stream().map(name -> instantiated(name, loader)).toList();
  }

  private static OperatorFamily instantiated(String name, ClassLoader loader) {
    try {
      Object family = Class.forName(name, true, loader).getDeclaredConstructor().newInstance();
      return (OperatorFamily) family;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("the operator " + name + " cannot be made", e);
    }
  }
}

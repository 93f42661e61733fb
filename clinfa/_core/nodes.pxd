# What the kernels that grow trees share: the rules of a fit, the records of a node, and a thread's own room.
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

ctypedef fused code_t:
    uint16_t
    uint32_t

# A node as it is kept.
cdef extern from "descent.h" nogil:
    ctypedef struct Node "clinfa_node":
        double threshold
        int32_t right
        uint32_t feature
    const uint32_t LACKING_LEFT "NODE_LACKING_LEFT"
    const uint32_t CATEGORY "NODE_CATEGORY"
    const uint32_t LEAF "NODE_LEAF"

# What a column of a node holds: ranks of values, or, for cuts at random, the values.
ctypedef fused value_t:
    float
    double

ctypedef fused column_t:
    uint16_t
    uint32_t
    float
    double

# A node as it is first written down: `left` is -1 in a leaf. Records whose code is at most that of `low` go left; of a
# column of categories those that stand first.
ctypedef packed struct Record:
    int32_t left
    int32_t right
    int32_t feature
    int32_t n             # records
    int32_t low           # a record with the greatest value that goes left, and
    int32_t high          # one with the least that goes right; -1 where nothing but what is missing does
    int32_t depth
    int32_t missing_left
    double threshold      # of a random split; that of a best one lies between `low` and `high`
    double weight
    double impurity

cdef struct Split:
    double score          # -1e308 where there is none
    double threshold      # of a cut at random; for categories, what targets are taken less
    double left, right    # what the sides would predict, where a monotonic constraint asks for it
    int32_t feature
    uint32_t low, high    # codes on both sides of the cut; places of categories in the order of their means
    int32_t missing_left

cdef struct Pending:      # a node that is to be looked at, or (best first) that waits to be divided
    int64_t begin, end
    uint64_t seed
    double lower, upper   # what it may predict
    double gain           # best first only, as `split`
    int32_t parent, side, depth, place
    Split split

cdef struct Rules:
    int measure
    int64_t d, outputs, width          # width: numbers that a node predicts
    int64_t tried, min_split, min_leaf, max_depth, most_leaves
    int64_t item                       # bytes of a value in tables of small nodes; 0 where there are none
    double min_weight, min_decrease, total, scale
    int64_t most_weight                # of a tree, where weights are whole and their logarithms are wanted; else 0
    const int64_t* n_values            # (d)  distinct values of each column
    const uint8_t* missing             # (d)  which columns lack values: those have the code n_values
    const int64_t* classes             # (outputs + 1)  where the classes of an output begin; NULL for numbers
    const int8_t* monotonic            # (d) or NULL
    const uint8_t* categories          # (d) or NULL  which columns are of categories
    const void* records                # (n, d)  cuts at random: the values once more, record by record
    const uint32_t* target_ranks       # absolute errors: (outputs, n)
    const int64_t* n_target_values     # (outputs)
    int64_t n                          # records there are
    const int64_t* starts              # (d + 1)   sparse records: where what a column stores begins; NULL for dense ones
    const int32_t* records_of          # (stored)  whose that is
    const uint32_t* zeros              # (d)       the code of zero
    const int64_t* row_starts          # (n + 1)   the same record by record:
    const int32_t* row_columns         # (stored)  columns, rising,
    const void* row_values             # (stored)  and codes, or for cuts at random values
    int64_t most_entries, stored_item  # how many of a node may be sorted by column; bytes of each
    bint by_bits                       # whether small nodes cut at random are grown by small.pxd, if nothing has weights

cdef struct Work:                      # room of one thread; U codes, m records at most
    double* sums                       # (2 U)  weight and targets of each code; zero between uses
    double* counts                     # (U)    records of each code; zero between uses
    int64_t most_codes                 # U
    double* means                      # (m, or more)  categories: their means
    uint8_t* goes                      # (U)    and whether it goes left
    uint64_t* bits                     # (U / 64 + 1)    codes that occur; zero between uses
    uint64_t* tops                     # (U / 4096 + 1)  words of them that are not zero
    int32_t* slot                      # (U)    a record of each code; -1 between uses
    int32_t* chain                     # (m)    the next record of the same code
    int32_t* order                     # (m)    records by their code
    uint32_t* codes                    # (m + 1)  codes, in order
    uint32_t few[65]
    double* weight                     # (m)    sums up to a cut: weights,
    double* sum                        # (m)    targets,
    double* count                      # (m)    and records
    double* score                      # (m)
    double* left                       # (m)    what the sides would predict, where a constraint asks for it
    double* right                      # (m)
    double* z                          # (m outputs)  weighted targets, less their mean where that helps
    double* moved                      # (m outputs + 16)   what goes right, while the rest moves left
    int32_t* moved_rows                # (m + 16)
    double* totals                     # (3 width)  weights of classes, or sums of targets: all, left, right
    int32_t* permutation               # (2 d)  0 to d - 1 between uses, and what was swapped
    char* local                        # (d, STRIDE)  ranks or values of the records of a small node
    int32_t* home                      # (SMALL)      which records they are
    int64_t* local_values              # (d)
    int32_t* rank                      # (m outputs)  absolute errors: places by target,
    int32_t* ordered                   # (m outputs)  records in that order,
    double* sorted                     # (m outputs)  and targets
    double* tree                       # (2 m + 2)
    uint8_t* side                      # (m)
    double* table                      # (most_weight + 1)  x log x of whole numbers, or NULL
    double slack                       # gains that differ by less are equal
    int32_t* where                     # (n)    sparse records: where each stands in a job's rows; -1 between uses
    bint repeats                       # whether some stand there several times
    int64_t begin                      # where the node does
    double whole                       # its sum of squares (or of x log x) of classes
    bint sorted_by_column              # whether what its records store is, as follows
    int32_t* held                      # (d)    which of the touched columns one is, from 1; zero between uses
    uint64_t* columns                  # (d / 64 + 1)    bits of those; zero between uses
    uint64_t* column_tops              # (d / 4096 + 1)  words of them that are not zero
    int32_t* touched                   # (entries)  columns in which something is stored, rising
    int64_t n_touched
    int32_t* ends                      # (entries + 1)  where what is stored in each ends; it begins where that before ends
    int32_t* entry_at                  # (entries)  places of the records in the node
    char* entries                      # (entries)  and what they store
    int32_t* room_at                   # (m + 1)    the same for a single column
    char* room_found                   # (m + 1)
    const int32_t* at                  # of one column, wherever it stands
    const void* found
    char* spread                       # (n)    a column as if it were dense
    int32_t* identity                  # (m)    0 to m - 1

ctypedef packed struct Subtree:        # where one is to grow, and how far it has
    int64_t begin, end                 # its records
    uint64_t seed
    int64_t depth
    double lower, upper                # what it may predict
    double total                       # the weight of the whole tree
    int64_t first                      # where its nodes begin
    int64_t waits, count, leaves       # nodes that wait, nodes there are, leaves; zeros at first

cdef struct Job:          # one subtree
    int32_t* rows         # the samples of all jobs
    double* w
    double* y
    Pending* waiting      # this job's own
    Record* nodes
    double* values
    const int32_t* home   # which records those of `rows` are, where they have been given other numbers
    int64_t waits, count, leaves
    double budget

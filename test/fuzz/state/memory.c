/*
 * memory.c
 *		Memory contexts as lists of malloc'd blocks.
 */
#include "shim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

#ifdef SANITIZED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void) (at), (void) (size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void) (at), (void) (size))
#endif

typedef struct Context
{
	MemoryContextData base;		/* reset_cbs: what a reset calls */
	struct Block *first;
} Context;

/* Stands before what it describes, poisoned. */
typedef struct Block
{
	Context    *context;
	struct Block *next;
	struct Block *previous;
	Size		size;
} Block;

MemoryContext CurrentMemoryContext = NULL;
MemoryContext TopMemoryContext = NULL;
MemoryContext shim_states = NULL;
MemoryContext shim_row = NULL;
MemoryContext shim_query = NULL;

static Block *
block_of(void *pointer)
{
	Block	   *block = (Block *) pointer - 1;

	ASAN_UNPOISON_MEMORY_REGION(block, sizeof(Block));
	return block;
}

static void
hide(Block *block)
{
	ASAN_POISON_MEMORY_REGION(block, sizeof(Block));
}

/* Nothing of a few kilobytes is worth more. */
#define ALLOCATION_MAX ((Size) 64 * 1024 * 1024)

static void *
allocate(MemoryContext in, Size size, bool huge)
{
	static unsigned char garbage = 0;
	Context    *context = (Context *) in;
	Block	   *block;

	if (!huge && !AllocSizeIsValid(size))
		ereport(ERROR, (errmsg_internal("invalid memory alloc request size %zu", size)));
	if (context == NULL)
		shim_fail("no memory context");
	if (size > ALLOCATION_MAX)
		shim_fail("%zu bytes are asked for", size);

	block = malloc(sizeof(Block) + size);
	if (block == NULL)
		shim_fail("out of memory at %zu bytes", size);
	block->context = context;
	block->size = size;
	block->previous = NULL;
	block->next = context->first;
	if (block->next != NULL)
	{
		block_of(block->next + 1)->previous = block;
		hide(block->next);
	}
	context->first = block;
	hide(block);
	/* Whatever is read before it is written shall differ each time. */
	garbage += 59;
	memset(block + 1, garbage, Min(size, 4096));
	return block + 1;
}

SHIM(void, pfree, (void *pointer))
{
	Block	   *block = block_of(pointer);

	if (block->next != NULL)
	{
		block_of(block->next + 1)->previous = block->previous;
		hide(block->next);
	}
	if (block->previous != NULL)
	{
		block_of(block->previous + 1)->next = block->next;
		hide(block->previous);
	}
	else
		block->context->first = block->next;
	free(block);
}

/* Always moves, so that old pointers are found out. */
static void *
reallocate(void *pointer, Size size, bool huge)
{
	Block	   *block = block_of(pointer);
	Context    *context = block->context;
	Size		old_size = block->size;
	void	   *moved;

	hide(block);
	moved = allocate(&context->base, size, huge);
	memcpy(moved, pointer, Min(size, old_size));
	shim_pfree(pointer);
	return moved;
}

SHIM(void, MemoryContextRegisterResetCallback, (MemoryContext context,
											   MemoryContextCallback *callback))
{
	callback->next = context->reset_cbs;
	context->reset_cbs = callback;
}

SHIM(void, MemoryContextReset, (MemoryContext context))
{
	while (context->reset_cbs != NULL)
	{
		MemoryContextCallback *callback = context->reset_cbs;

		context->reset_cbs = callback->next;
		callback->func(callback->arg);
	}
	while (((Context *) context)->first != NULL)
		shim_pfree(((Context *) context)->first + 1);
}

static void
make_context(MemoryContext *context)
{
	if (*context == NULL)
	{
		*context = calloc(1, sizeof(Context));
		(*context)->type = T_AllocSetContext;
	}
	shim_MemoryContextReset(*context);
}

void
shim_begin(void)
{
	make_context(&shim_states);
	make_context(&shim_row);
	make_context(&shim_query);
	TopMemoryContext = shim_query;
	CurrentMemoryContext = shim_row;
	shim_error_code = 0;
	shim_error_message[0] = '\0';
}

static void *
zeroed(void *pointer, Size size)
{
	return memset(pointer, 0, size);
}

SHIM(void *, MemoryContextAlloc, (MemoryContext context, Size size))
{
	return allocate(context, size, false);
}

SHIM(void *, MemoryContextAllocZero, (MemoryContext context, Size size))
{
	return zeroed(allocate(context, size, false), size);
}

SHIM(void *, MemoryContextAllocZeroAligned, (MemoryContext context, Size size))
{
	return zeroed(allocate(context, size, false), size);
}

SHIM(void *, MemoryContextAllocHuge, (MemoryContext context, Size size))
{
	return allocate(context, size, true);
}

SHIM(void *, MemoryContextAllocExtended, (MemoryContext context, Size size, int flags))
{
	void	   *pointer = allocate(context, size, (flags & MCXT_ALLOC_HUGE) != 0);

	return (flags & MCXT_ALLOC_ZERO) != 0 ? zeroed(pointer, size) : pointer;
}

SHIM(void *, palloc, (Size size))
{
	return allocate(CurrentMemoryContext, size, false);
}

SHIM(void *, palloc0, (Size size))
{
	return zeroed(allocate(CurrentMemoryContext, size, false), size);
}

SHIM(void *, palloc_extended, (Size size, int flags))
{
	return shim_MemoryContextAllocExtended(CurrentMemoryContext, size, flags);
}

SHIM(void *, repalloc, (void *pointer, Size size))
{
	return reallocate(pointer, size, false);
}

SHIM(void *, repalloc_huge, (void *pointer, Size size))
{
	return reallocate(pointer, size, true);
}

SHIM(void *, repalloc0, (void *pointer, Size old_size, Size size))
{
	char	   *moved = reallocate(pointer, size, false);

	memset(moved + old_size, 0, size - old_size);
	return moved;
}

SHIM(MemoryContext, GetMemoryChunkContext, (void *pointer))
{
	Block	   *block = block_of(pointer);
	MemoryContext context = &block->context->base;

	hide(block);
	return context;
}

SHIM(char *, MemoryContextStrdup, (MemoryContext context, const char *text))
{
	return memcpy(allocate(context, strlen(text) + 1, false), text, strlen(text) + 1);
}

SHIM(char *, pstrdup, (const char *text))
{
	return shim_MemoryContextStrdup(CurrentMemoryContext, text);
}

SHIM(char *, pnstrdup, (const char *text, Size length))
{
	char	   *copy;

	length = strnlen(text, length);
	copy = shim_palloc(length + 1);
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

SHIM(char *, psprintf, (const char *format,...))
{
	char		text[1024];
	va_list		args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return shim_pstrdup(text);
}

SHIM(int, pg_snprintf, (char *text, size_t size, const char *format,...))
{
	va_list		args;
	int			length;

	va_start(args, format);
	length = vsnprintf(text, size, format, args);
	va_end(args);
	return length;
}

